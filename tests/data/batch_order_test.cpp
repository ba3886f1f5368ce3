#include "data/batch_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace ossau {
namespace {

struct OrderCase {
  std::int64_t rows;
  std::int64_t shards;
  std::int64_t batch;
};

std::vector<OrderCase> all_cases() {
  std::vector<OrderCase> cases;
  for (const std::int64_t shards : {1, 2, 64, 256}) {
    for (const std::int64_t rows : {1, 2, 10, 31, 63, 64, 65, 100, 1000, 4097, 7513, 20001}) {
      for (const std::int64_t batch : {std::int64_t{1}, std::int64_t{7}, std::int64_t{64},
                                       std::int64_t{1000}, std::int64_t{4096}, rows}) {
        cases.push_back({rows, shards, batch});
      }
    }
  }
  return cases;
}

// The rows of a batch on some ranks together, in tile order.
std::vector<std::int64_t> rows_of_batch(const BatchOrder& order, const Shards& shards,
                                        std::int64_t step, std::int64_t ranks) {
  std::vector<std::int64_t> rows;
  std::vector<TileSlice> slices;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    order.select(step, shards.tiles_of_rank({.rank = rank, .size = ranks}), slices);
    for (const TileSlice& slice : slices) {
      for (std::int64_t row = slice.row_begin; row < slice.row_end; ++row) {
        rows.push_back(slice.tile * kTileRows + row);
      }
    }
  }
  return rows;
}

TEST(BatchOrder, TakesEveryRowOnceAnEpochInFullBatches) {
  for (const OrderCase& c : all_cases()) {
    const Shards shards(c.rows, c.shards);
    BatchOrder order(shards, c.batch, 42);
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      order.start_epoch(epoch);
      std::vector<int> seen(static_cast<std::size_t>(c.rows), 0);
      for (std::int64_t step = 0; step < order.steps_per_epoch(); ++step) {
        const auto rows = rows_of_batch(order, shards, step, 1);
        ASSERT_EQ(static_cast<std::int64_t>(rows.size()), order.rows_in_batch(step));
        ASSERT_FALSE(rows.empty());
        if (step + 1 < order.steps_per_epoch()) {
          ASSERT_EQ(static_cast<std::int64_t>(rows.size()), std::min(c.batch, c.rows));
        }
        for (const std::int64_t row : rows) ++seen[static_cast<std::size_t>(row)];
      }
      ASSERT_EQ(std::count(seen.begin(), seen.end(), 1), c.rows)
          << c.rows << " rows, " << c.shards << " shards, batch " << c.batch;
    }
  }
}

TEST(BatchOrder, IsTheSameForAnyNumberOfRanks) {
  for (const OrderCase& c : all_cases()) {
    const Shards shards(c.rows, c.shards);
    BatchOrder order(shards, c.batch, 7);
    order.start_epoch(3);
    for (std::int64_t step = 0; step < std::min<std::int64_t>(order.steps_per_epoch(), 20);
         ++step) {
      auto alone = rows_of_batch(order, shards, step, 1);
      std::sort(alone.begin(), alone.end());
      for (const std::int64_t ranks : {2, 3, 7}) {
        if (ranks > c.shards) continue;
        auto together = rows_of_batch(order, shards, step, ranks);
        std::sort(together.begin(), together.end());
        ASSERT_EQ(alone, together);
      }
    }
  }
}

TEST(BatchOrder, TakesAllRowsWhenAskedForAllOrMore) {
  for (const std::int64_t batch : {std::int64_t{0}, std::int64_t{1000}}) {
    const BatchOrder order(Shards(100, 64), batch, 1);
    EXPECT_EQ(order.steps_per_epoch(), 1);
    EXPECT_EQ(order.rows_in_batch(0), 100);
  }
}

TEST(BatchOrder, DependsOnSeedAndEpoch) {
  const Shards shards(64 * 1000, 64);
  BatchOrder order(shards, 1024, 1);
  const auto first = rows_of_batch(order, shards, 0, 1);
  order.start_epoch(1);
  EXPECT_NE(rows_of_batch(order, shards, 0, 1), first);
  order.start_epoch(0);
  EXPECT_EQ(rows_of_batch(order, shards, 0, 1), first);
  EXPECT_NE(rows_of_batch(BatchOrder(shards, 1024, 2), shards, 0, 1), first);
}

// Each shard gives the same share of a batch, so that ranks are busy alike.
TEST(BatchOrder, BalancesRanksWithinThreePercent) {
  const Shards shards(1000000, 64);
  BatchOrder order(shards, 65536, 0);
  for (const std::int64_t ranks : {2, 4, 8}) {
    for (std::int64_t step = 0; step + 1 < order.steps_per_epoch(); ++step) {
      std::size_t largest = 0;
      std::vector<TileSlice> slices;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        order.select(step, shards.tiles_of_rank({.rank = rank, .size = ranks}), slices);
        largest = std::max(largest, slices.size());
      }
      const double fair = 1024.0 / static_cast<double>(ranks);
      EXPECT_LE(static_cast<double>(largest), fair * (ranks == 8 ? 1.03 : 1.0) + 1) << ranks;
    }
  }
}

TEST(Shards, GiveEveryTileToOneRank) {
  for (const std::int64_t rows : {1, 64, 65, 640, 100000}) {
    for (const std::int64_t count : {1, 4, 64}) {
      const Shards shards(rows, count);
      for (std::int64_t ranks = 1; ranks <= count; ++ranks) {
        std::int64_t next = 0;
        for (std::int64_t rank = 0; rank < ranks; ++rank) {
          const Range tiles = shards.tiles_of_rank({.rank = rank, .size = ranks});
          ASSERT_EQ(tiles.begin, next);
          next = tiles.end;
        }
        ASSERT_EQ(next, shards.tiles());
      }
    }
  }
}

// The order is part of the contract: these numbers may change only with kExactVersion.
TEST(BatchOrder, KeepsItsNumbers) {
  BatchOrder order(Shards(64 * 20 + 5, 4), 64, 11);
  order.start_epoch(2);
  std::vector<std::int64_t> tiles;
  for (std::int64_t k = 0; k < 21; ++k) tiles.push_back(order.tile_at(k));
  EXPECT_EQ(tiles, (std::vector<std::int64_t>{15, 4,  12, 8,  3, 11, 5,  16, 14, 9, 20,
                                              0,  10, 6,  17, 1, 7,  19, 2,  13, 18}));
}

}  // namespace
}  // namespace ossau
