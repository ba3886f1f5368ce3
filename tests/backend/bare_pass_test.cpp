#include "backend/cpu/bare_pass.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "arith/bits.hpp"
#include "support/tables.hpp"

namespace ossau {
namespace {

// Rows of which a few are far longer than the others of their tile: those spill.
Table table_with_long_rows(std::int64_t columns, bool ones) {
  Table table = test::make_table({.rows = 200, .columns = columns, .density = 0.02, .ones = ones});
  for (int i = 0; i < 3; ++i) {
    for (std::int64_t j = i; j < columns; ++j) {
      table.index.push_back(static_cast<std::uint32_t>(j));
      table.value.push_back(ones ? 1.0 : 0.5);
    }
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
    table.label.push_back(1);
  }
  return table;
}

TileSet tiles_of(const Table& table, std::int64_t columns, Layout layout) {
  ColumnRanges ranges(columns);
  for (std::int64_t i = 0; i < table.rows(); ++i) ranges.add(table, i);
  ranges.include_zeros(table.rows());
  const ColumnTransform transform =
      make_transform(ranges, nullptr, table.rows(), false, test::make_schema(columns));
  const Shards shards(table.rows(), 4);
  ThreadPool pool(1);
  return make_tiles(Rows(table), shards, {0, shards.tiles()}, transform, layout, {}, 1.0, pool);
}

template <class Values>
std::uint32_t sum_of_bits(const Values& values) {
  return std::accumulate(
      values.begin(), values.end(), std::uint32_t{0},
      [](std::uint32_t sum, float x) { return sum + bit_copy<std::uint32_t>(x); });
}

// A weight for each feature; that of feature 0, where empty slots point, has no bits.
AlignedVector<float> some_weights(std::int64_t columns) {
  AlignedVector<float> weights;
  for (std::int64_t j = 0; j < columns; ++j) weights.push_back(static_cast<float>(j) * 0.37f);
  return weights;
}

TEST(BarePass, ReadsEveryNumber) {
  std::vector<float> values;
  for (std::size_t size = 0; size < 600; ++size) {
    for (const BarePasses& passes : available_bare_passes()) {
      ASSERT_EQ(passes.read(values), sum_of_bits(values)) << passes.name << " " << size;
    }
    values.push_back(static_cast<float>(size) * 1.37f - 100);
  }
}

TEST(BarePass, GathersAndScattersEveryEntrySpilledOrNot) {
  constexpr std::int64_t kColumns = 300;
  for (const bool ones : {false, true}) {
    const Table table = table_with_long_rows(kColumns, ones);
    const TileSet tiles = tiles_of(table, kColumns, Layout::kSparse);
    const auto& sparse = std::get<SparseTiles>(tiles.storage);
    ASSERT_GT(sparse.spill_row.size(), 300u);
    ASSERT_EQ(sparse.implicit_ones(), ones);
    const AlignedVector<float> weights = some_weights(kColumns);
    std::vector<std::int64_t> entries_of_feature(kColumns);
    std::uint32_t bits = sum_of_bits(sparse.value) + sum_of_bits(sparse.spill_value);
    for (const std::uint32_t j : table.index) {
      ++entries_of_feature[j];
      bits += bit_copy<std::uint32_t>(weights[j]);
    }
    for (const BarePasses& passes : available_bare_passes()) {
      for (const Prefetch prefetch : {Prefetch::kNo, Prefetch::kYes}) {
        std::vector<std::int64_t> sums(kColumns);
        const BareTarget target{.weights = weights.data(), .sums = sums.data()};
        EXPECT_EQ(passes.gather_and_scatter(sparse, {0, tiles.owned.size()}, target, prefetch),
                  bits)
            << passes.name;
        EXPECT_EQ(sums, entries_of_feature) << passes.name;
      }
    }
  }
}

// Scatters into the sums it is given: each pass adds every entry once, in whatever thread.
TEST(BarePass, IsTimedOverAllTilesInAllThreads) {
  constexpr std::int64_t kColumns = 300;
  constexpr int kRepetitions = 3;
  constexpr std::int64_t kPasses = 2 * (1 + kRepetitions);  // two kinds, each with a warm-up
  const Table table = table_with_long_rows(kColumns, false);
  const TileSet tiles = tiles_of(table, kColumns, Layout::kSparse);
  const AlignedVector<float> weights = some_weights(kColumns);
  ThreadPool pool(2);
  std::vector<AlignedVector<std::int64_t>> sums(2, AlignedVector<std::int64_t>(kColumns));
  EXPECT_GT(bare_pass_s(tiles, pool, kRepetitions, weights.data(), sums), 0);
  std::int64_t added = 0;
  for (const auto& of_thread : sums) {
    const std::int64_t here = std::accumulate(of_thread.begin(), of_thread.end(), std::int64_t{0});
    EXPECT_GT(here, 0);
    added += here;
  }
  EXPECT_EQ(added, kPasses * static_cast<std::int64_t>(table.index.size()));
}

TEST(BarePass, OfDenseRowsNeedsNoWeights) {
  ThreadPool pool(2);
  const TileSet tiles =
      tiles_of(test::make_table({.rows = 640, .columns = 64}), 64, Layout::kDense);
  EXPECT_GT(bare_pass_s(tiles, pool, 3), 0);
  EXPECT_GT(estimate_bare_pass_s(tiles, pool, nullptr, {}), 0);
}

constexpr std::int64_t kMarkedTiles = 40;
constexpr double kMarkedTileBytes = kTileRows * (sizeof(std::uint32_t) + sizeof(float));

// Each tile has a feature of its own, in each of its rows.
TileSet marked_tiles() {
  SparseTiles sparse;
  for (std::int64_t tile = 0; tile < kMarkedTiles; ++tile) {
    sparse.slice_start.push_back(tile);
    for (std::int64_t row = 0; row < kTileRows; ++row) {
      sparse.length.push_back(1);
      sparse.index.push_back(static_cast<std::uint32_t>(tile));
      sparse.value.push_back(1.0f);
    }
  }
  sparse.slice_start.push_back(kMarkedTiles);
  sparse.spill_start.resize(static_cast<std::size_t>(kMarkedTiles) + 1);
  TileSet tiles;
  tiles.features = kMarkedTiles;
  tiles.owned = {0, kMarkedTiles};
  tiles.storage = std::move(sparse);
  return tiles;
}

// Tiles that an estimate from so many bytes reads in each of two threads.
std::vector<std::vector<std::int64_t>> tiles_read(double sample_bytes) {
  const TileSet tiles = marked_tiles();
  const AlignedVector<float> weights = some_weights(kMarkedTiles);
  ThreadPool pool(2);
  std::vector<AlignedVector<std::int64_t>> sums(2, AlignedVector<std::int64_t>(kMarkedTiles));
  EXPECT_GT(estimate_bare_pass_s(tiles, pool, weights.data(), sums, sample_bytes), 0);
  std::vector<std::vector<std::int64_t>> read(2);
  for (std::size_t thread = 0; thread < 2; ++thread) {
    for (std::int64_t j = 0; j < kMarkedTiles; ++j) {
      if (sums[thread][static_cast<std::size_t>(j)] > 0) read[thread].push_back(j);
    }
  }
  return read;
}

TEST(BarePass, OfManyRowsIsEstimatedFromSome) {
  using Read = std::vector<std::vector<std::int64_t>>;
  EXPECT_EQ(tiles_read(10 * kMarkedTileBytes), (Read{{0, 1, 2, 3, 4}, {20, 21, 22, 23, 24}}));
  EXPECT_EQ(tiles_read(1), (Read{{0}, {20}}));
}

TEST(BarePass, OfFewRowsIsEstimatedFromAll) {
  for (const auto& of_thread : tiles_read(1e9)) EXPECT_EQ(of_thread.size(), 20u);
}

TEST(BarePass, TakesNoTimeWithoutRows) {
  ThreadPool pool(1);
  TileSet none;
  none.features = 5;
  EXPECT_EQ(bare_pass_s(none, pool, 3), 0);
}

}  // namespace
}  // namespace ossau
