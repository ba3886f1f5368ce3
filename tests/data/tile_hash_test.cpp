#include "data/tile_hash.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "support/tables.hpp"

namespace ossau::test {
namespace {

constexpr std::int64_t kColumns = 7;

TileSet tiles_of(const Table& table, Layout layout, Shards shards, Range owned, ThreadPool& pool) {
  const Schema schema = make_schema(kColumns);
  ColumnRanges ranges(kColumns);
  for (std::int64_t row = 0; row < table.rows(); ++row) ranges.add(table, row);
  ranges.include_zeros(table.rows());
  // The same for every variant of a table below: only rows may make the difference.
  ColumnTransform transform = make_transform(ranges, nullptr, table.rows(), false, schema);
  transform.exponent.assign(kColumns, 0);
  transform.exponent_power.assign(kColumns, 1);
  transform.inverse_power.assign(kColumns, 1);
  return make_tiles(Rows(table), shards, owned, transform, layout, {}, 1, pool);
}

Int128 hash_on_ranks(const Table& table, Layout layout, std::int64_t ranks, std::int64_t threads) {
  const Shards shards(table.rows(), 8);
  ThreadPool pool(threads);
  Int128 sum = 0;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    const Range owned = shards.tiles_of_rank({.rank = rank, .size = ranks});
    sum += hash_of_rows(tiles_of(table, layout, shards, owned, pool), 0, pool);
  }
  return sum;
}

Int128 hash_of(const Table& table, Layout layout) { return hash_on_ranks(table, layout, 1, 1); }

Table sample() {
  return make_table({.rows = 64 * 9 + 5, .columns = kColumns, .density = 0.5, .weighted = true});
}

TEST(HashOfRows, IsTheSameForAnyNumberOfRanksAndThreads) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    const Table table = sample();
    const Int128 expected = hash_of(table, layout);
    for (const std::int64_t ranks : {1, 2, 3, 8}) {
      for (const std::int64_t threads : {1, 3}) {
        EXPECT_TRUE(hash_on_ranks(table, layout, ranks, threads) == expected)
            << ranks << " ranks, " << threads << " threads";
      }
    }
  }
}

// The ranks of the last tiles alone see a value that is not 1, and store them all.
TEST(HashOfRows, DoesNotDependOnWhetherOnesAreStored) {
  Table table = make_table({.rows = 640, .columns = kColumns, .density = 0.5, .ones = true});
  table.value.back() = 0.5;
  EXPECT_TRUE(hash_on_ranks(table, Layout::kSparse, 4, 1) == hash_of(table, Layout::kSparse));
}

TEST(HashOfRows, NoticesEveryChange) {
  const std::vector<std::function<void(Table&)>> changes = {
      [](Table&) {},
      [](Table& table) { table.value[100] = -table.value[100]; },
      [](Table& table) { std::swap(table.value[100], table.value[101]); },
      [](Table& table) { table.value.back() += 0.25; },
      [](Table& table) { table.label[3] ^= 1; },
      [](Table& table) { table.label.back() ^= 1; },
      [](Table& table) { table.weight[7] += 0.5; },
      // Two rows of one tile, and of two, change places, but for their labels and weights.
      [](Table& table) { std::swap(table.weight[0], table.weight[1]); },
      [](Table& table) { std::swap(table.weight[0], table.weight[64]); },
  };
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    std::set<std::pair<std::uint64_t, std::uint64_t>> hashes;
    for (const auto& change : changes) {
      Table table = sample();
      change(table);
      const Int128 hash = hash_of(table, layout);
      hashes.emplace(static_cast<std::uint64_t>(hash >> 64), static_cast<std::uint64_t>(hash));
    }
    EXPECT_EQ(hashes.size(), changes.size());
  }
}

TEST(HashOfRows, TellsTrainingFromValidationRowsAndWholeTilesFromEachOther) {
  Table table = sample();
  ThreadPool pool(1);
  const Shards shards(table.rows(), 8);
  const TileSet tiles =
      tiles_of(table, Layout::kDense, shards, shards.tiles_of_rank({.rank = 0, .size = 1}), pool);
  EXPECT_FALSE(hash_of_rows(tiles, 0, pool) == hash_of_rows(tiles, 1, pool));
  EXPECT_TRUE(hash_of_rows(TileSet{}, 0, pool) == 0);
  TileSet moved = tiles;
  ++moved.owned.begin;
  ++moved.owned.end;
  EXPECT_FALSE(hash_of_rows(tiles, 0, pool) == hash_of_rows(moved, 0, pool));
}

}  // namespace
}  // namespace ossau::test
