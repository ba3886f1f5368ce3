#include "data/tiles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "support/tables.hpp"

namespace ossau {
namespace {

constexpr auto kRows = static_cast<std::size_t>(kTileRows);

ColumnTransform identity(const Table& table, std::int64_t columns) {
  ColumnRanges ranges(columns);
  for (std::int64_t i = 0; i < table.rows(); ++i) ranges.add(table, i);
  ranges.include_zeros(table.rows());
  return make_transform(ranges, nullptr, table.rows(), false, test::make_schema(columns));
}

TileSet tiles_of(const Table& table, std::int64_t columns, Layout layout, RankInfo rank = {}) {
  const Shards shards(table.rows(), 4);
  ThreadPool pool(3);
  return make_tiles(Rows(table), shards, shards.tiles_of_rank(rank), identity(table, columns),
                    layout, {}, 1.0, pool);
}

// (feature, value) in chain order for one row of sparse tiles.
std::vector<std::pair<std::uint32_t, float>> sparse_row(const SparseTiles& sparse, std::size_t tile,
                                                        std::size_t row) {
  std::vector<std::pair<std::uint32_t, float>> entries;
  const auto first = static_cast<std::size_t>(sparse.slice_start[tile]);
  const auto end = static_cast<std::size_t>(sparse.slice_start[tile + 1]);
  const std::size_t length = sparse.length[tile * kRows + row];
  for (std::size_t slice = first; slice < end && entries.size() < length; ++slice) {
    const std::size_t slot = slice * kRows + row;
    entries.emplace_back(sparse.index[slot], sparse.implicit_ones() ? 1.0f : sparse.value[slot]);
  }
  for (auto k = static_cast<std::size_t>(sparse.spill_start[tile]);
       k < static_cast<std::size_t>(sparse.spill_start[tile + 1]); ++k) {
    if (sparse.spill_row[k] != row) continue;
    entries.emplace_back(sparse.spill_index[k],
                         sparse.implicit_ones() ? 1.0f : sparse.spill_value[k]);
  }
  EXPECT_EQ(entries.size(), length);
  return entries;
}

TEST(DenseTiles, HoldEveryEntryTransposed) {
  const Table table = test::make_table({.rows = 150, .columns = 7, .density = 0.6});
  const TileSet tiles = tiles_of(table, 7, Layout::kDense);
  const ColumnTransform transform = identity(table, 7);
  const auto& values = std::get<DenseTiles>(tiles.storage).values;
  ASSERT_EQ(values.size(), 3 * 7 * kRows);
  for (std::int64_t i = 0; i < 150; ++i) {
    for (std::int64_t j = 0; j < 7; ++j) {
      const auto at = static_cast<std::size_t>((i / 64 * 7 + j) * 64 + i % 64);
      ASSERT_EQ(values[at], transform.stored(test::entry(table, i, j), j));
    }
  }
}

TEST(DenseTiles, PadTheLastTileWithZeros) {
  const Table table = test::make_table({.rows = 70, .columns = 2});
  const TileSet tiles = tiles_of(table, 2, Layout::kDense);
  const auto& values = std::get<DenseTiles>(tiles.storage).values;
  for (std::size_t i = 6; i < kRows; ++i) EXPECT_EQ(values[2 * kRows + i], 0.0f);
  EXPECT_EQ(tiles.signed_weight[kRows + 6], 0.0f);
}

TEST(SparseTiles, HoldEveryEntryInOrderSpilledOrNot) {
  Table table = test::make_table({.rows = 200, .columns = 300, .density = 0.02});
  // A few rows far longer than their tile's others spill.
  const Table dense = test::make_table({.rows = 3, .columns = 300, .density = 0.9, .seed = 5});
  for (std::int64_t i = 0; i < dense.rows(); ++i) {
    for (std::int64_t j = 0; j < 300; ++j) {
      const double x = test::entry(dense, i, j);
      if (x == 0) continue;
      table.index.push_back(static_cast<std::uint32_t>(j));
      table.value.push_back(x);
    }
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
    table.label.push_back(1);
  }
  const TileSet tiles = tiles_of(table, 300, Layout::kSparse);
  const auto& sparse = std::get<SparseTiles>(tiles.storage);
  const ColumnTransform transform = identity(table, 300);
  EXPECT_GT(sparse.spill_row.size(), 300u);
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    std::vector<std::pair<std::uint32_t, float>> expected;
    for (auto k = table.row_start[static_cast<std::size_t>(i)];
         k < table.row_start[static_cast<std::size_t>(i) + 1]; ++k) {
      const std::uint32_t j = table.index[static_cast<std::size_t>(k)];
      expected.emplace_back(j, transform.stored(table.value[static_cast<std::size_t>(k)], j));
    }
    ASSERT_EQ(
        sparse_row(sparse, static_cast<std::size_t>(i / 64), static_cast<std::size_t>(i % 64)),
        expected);
  }
}

TEST(SparseTiles, StayWithinOneAndAHalfTimesTheEntries) {
  for (const double density : {0.001, 0.02, 0.3}) {
    const Table table = test::make_table({.rows = 1000, .columns = 200, .density = density});
    const auto tiles = tiles_of(table, 200, Layout::kSparse);
    const auto& sparse = std::get<SparseTiles>(tiles.storage);
    EXPECT_LE(2 * (sparse.index.size() + sparse.spill_row.size()), 3 * table.index.size());
  }
}

TEST(SparseTiles, StoreNoValuesWhenAllAreOne) {
  const Table table = test::make_table({.rows = 100, .columns = 50, .density = 0.1, .ones = true});
  const auto tiles = tiles_of(table, 50, Layout::kSparse);
  EXPECT_TRUE(std::get<SparseTiles>(tiles.storage).implicit_ones());
  const Table other = test::make_table({.rows = 100, .columns = 50, .density = 0.1});
  const auto with_values = tiles_of(other, 50, Layout::kSparse);
  EXPECT_FALSE(std::get<SparseTiles>(with_values.storage).implicit_ones());
}

TEST(SparseTiles, AcceptRowsAndTilesWithoutEntries) {
  const Table table = test::make_table({.rows = 130, .columns = 3, .density = 0.0});
  const auto tiles = tiles_of(table, 3, Layout::kSparse);
  const auto& sparse = std::get<SparseTiles>(tiles.storage);
  EXPECT_EQ(sparse.slice_start, (std::vector<std::int64_t>{0, 0, 0, 0}));
  EXPECT_TRUE(sparse.spill_row.empty());
}

TEST(Tiles, OfRanksTogetherAreThoseOfOne) {
  const Table table = test::make_table({.rows = 500, .columns = 4, .weighted = true});
  const TileSet alone = tiles_of(table, 4, Layout::kDense);
  std::vector<float> together;
  std::vector<float> weights;
  std::array<Int128, 2> total = {0, 0};
  for (std::int64_t rank = 0; rank < 3; ++rank) {
    const TileSet part = tiles_of(table, 4, Layout::kDense, {.rank = rank, .size = 3});
    const auto& values = std::get<DenseTiles>(part.storage).values;
    together.insert(together.end(), values.begin(), values.end());
    weights.insert(weights.end(), part.signed_weight.begin(), part.signed_weight.end());
    const std::array<Int128, 2> of_part = sums_of_weights(part);
    for (std::size_t k = 0; k < 2; ++k) total[k] += of_part[k];
  }
  const auto& values = std::get<DenseTiles>(alone.storage).values;
  EXPECT_EQ(together, std::vector<float>(values.begin(), values.end()));
  EXPECT_EQ(weights, std::vector<float>(alone.signed_weight.begin(), alone.signed_weight.end()));
  EXPECT_TRUE(total == sums_of_weights(alone));
}

TEST(Tiles, GiveTheLargestRowNormInBothLayouts) {
  const Table table = test::make_table({.rows = 200, .columns = 9, .density = 0.5});
  double expected = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    double norm = 1;
    for (std::int64_t j = 0; j < 9; ++j) norm += std::pow(test::entry(table, i, j), 2);
    expected = std::max(expected, norm);
  }
  const ColumnTransform transform = identity(table, 9);
  const double dense = largest_row_norm(tiles_of(table, 9, Layout::kDense), transform, true);
  const double sparse = largest_row_norm(tiles_of(table, 9, Layout::kSparse), transform, true);
  EXPECT_EQ(dense, sparse);
  EXPECT_NEAR(dense, expected, expected * 1e-6);  // features are rounded to float32
}

}  // namespace
}  // namespace ossau
