#include "samples.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include "arith/elementary.hpp"
#include "arith/permutation.hpp"
#include "core/thread_pool.hpp"

namespace ossau::bench {
namespace {

// One stream of random numbers for each thing that is drawn.
enum class Stream : std::uint64_t { kLabel, kFeature, kIndex };

std::uint64_t random_bits(Stream stream, std::int64_t a, std::int64_t b) {
  return make_key(static_cast<std::uint64_t>(stream), static_cast<std::uint64_t>(a),
                  static_cast<std::uint64_t>(b));
}

float random_feature(std::int64_t row, std::int64_t entry) {
  const std::uint64_t bits = random_bits(Stream::kFeature, row, entry);
  return static_cast<float>(static_cast<std::int32_t>(bits >> 32) >> 8) * 0x1p-23F;
}

// base^u for u = bits / 2^24, from roots of the base: square roots and products only.
class PowerOfUniform {
 public:
  explicit PowerOfUniform(double base) {
    double coarse = base;
    for (int i = 0; i < kBits; ++i) coarse = std::sqrt(coarse);
    double fine = coarse;
    for (int i = 0; i < kBits; ++i) fine = std::sqrt(fine);
    for (std::size_t i = 0; i < coarse_.size(); ++i) {
      coarse_[i] = integer_power(coarse, static_cast<std::int64_t>(i));
      fine_[i] = integer_power(fine, static_cast<std::int64_t>(i));
    }
  }

  double operator()(std::uint64_t bits) const {
    return coarse_[bits >> kBits & kMask] * fine_[bits & kMask];
  }

 private:
  static constexpr int kBits = 12;
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
  std::array<double, std::size_t{1} << kBits> coarse_;
  std::array<double, std::size_t{1} << kBits> fine_;
};

TileSet make_rows(std::int64_t rows, std::int64_t features) {
  constexpr std::int64_t kVirtualShards = 64;
  TileSet set;
  set.shards = Shards(rows, kVirtualShards);
  set.owned = {0, set.shards.tiles()};
  set.features = features;
  set.total_weight = static_cast<double>(rows);
  set.signed_weight.resize(static_cast<std::size_t>(set.owned.end * kTileRows));
  for (std::int64_t i = 0; i < rows; ++i) {
    const bool positive = random_bits(Stream::kLabel, i, 0) % 2 == 0;
    set.signed_weight[static_cast<std::size_t>(i)] = positive ? -1.0F : 1.0F;
  }
  return set;
}

// Calls fill(tile) for every tile, on all cores: only the time of filling depends on them.
template <class Fill>
void for_each_tile(const TileSet& set, Fill fill) {
  ThreadPool pool(std::max<std::int64_t>(1, std::thread::hardware_concurrency()));
  pool.split(set.owned.end, 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t tile = begin; tile < end; ++tile) fill(tile);
  });
}

// Tiles in which every row has room for as many entries and nothing spills; their slots are not
// written yet.
SparseTiles make_even_tiles(const TileSet& set, std::int64_t entries, bool values) {
  const auto tiles = static_cast<std::size_t>(set.owned.end);
  const std::size_t slots = tiles * static_cast<std::size_t>(entries * kTileRows);
  SparseTiles sparse;
  for (std::size_t tile = 0; tile <= tiles; ++tile) {
    sparse.slice_start.push_back(static_cast<std::int64_t>(tile) * entries);
  }
  sparse.index.resize(slots);
  if (values) sparse.value.resize(slots);
  sparse.length.resize(tiles * static_cast<std::size_t>(kTileRows));
  sparse.spill_start.assign(tiles + 1, 0);
  return sparse;
}

// Draws until the row has as many distinct indices as it should; leaves them in order.
void draw_indices(const PowerOfUniform& power, std::int64_t row, std::int64_t entries,
                  std::int64_t features, std::vector<std::uint32_t>& indices) {
  indices.clear();
  for (std::int64_t draw = 0; static_cast<std::int64_t>(indices.size()) < entries; ++draw) {
    const auto index = static_cast<std::uint32_t>(power(random_bits(Stream::kIndex, row, draw)));
    const auto place = std::lower_bound(indices.begin(), indices.end(), index);
    const bool known = place != indices.end() && *place == index;
    if (!known && index < features) indices.insert(place, index);
  }
}

// Fills the slots of a tile with 0, which those without an entry keep.
void clear_tile(SparseTiles& sparse, std::int64_t tile, std::int64_t entries) {
  const std::int64_t begin = tile * entries * kTileRows;
  std::fill_n(sparse.index.data() + begin, entries * kTileRows, 0U);
  if (!sparse.value.empty()) std::fill_n(sparse.value.data() + begin, entries * kTileRows, 0.0F);
}

void put_row(SparseTiles& sparse, std::int64_t row, std::int64_t entries_in_tile,
             const std::vector<std::uint32_t>& indices) {
  const std::int64_t tile = row / kTileRows;
  const std::int64_t lane = row % kTileRows;
  sparse.length[static_cast<std::size_t>(row)] = static_cast<std::uint32_t>(indices.size());
  for (std::size_t e = 0; e < indices.size(); ++e) {
    const std::int64_t slice = tile * entries_in_tile + static_cast<std::int64_t>(e);
    const auto slot = static_cast<std::size_t>(slice * kTileRows + lane);
    sparse.index[slot] = indices[e];
    if (!sparse.value.empty()) {
      sparse.value[slot] = random_feature(row, static_cast<std::int64_t>(e));
    }
  }
}

}  // namespace

TileSet make_dense_rows(std::int64_t rows, std::int64_t features) {
  TileSet set = make_rows(rows, features);
  DenseTiles dense;
  dense.values.resize(static_cast<std::size_t>(set.owned.end * features * kTileRows));
  for_each_tile(set, [&](std::int64_t tile) {
    for (std::int64_t column = 0; column < features; ++column) {
      float* values = dense.values.data() + (tile * features + column) * kTileRows;
      for (std::int64_t lane = 0; lane < kTileRows; ++lane) {
        const bool absent = lane >= set.shards.rows_in_tile(tile);
        values[lane] = absent ? 0 : random_feature(tile * kTileRows + lane, column);
      }
    }
  });
  set.storage = std::move(dense);
  return set;
}

TileSet make_sparse_rows(const SparseShape& shape) {
  TileSet set = make_rows(shape.rows, shape.features);
  SparseTiles sparse = make_even_tiles(set, shape.entries, shape.values);
  const PowerOfUniform power(static_cast<double>(shape.features));
  for_each_tile(set, [&](std::int64_t tile) {
    clear_tile(sparse, tile, shape.entries);
    std::vector<std::uint32_t> indices;
    for (std::int64_t lane = 0; lane < set.shards.rows_in_tile(tile); ++lane) {
      const std::int64_t row = tile * kTileRows + lane;
      draw_indices(power, row, shape.entries, shape.features, indices);
      put_row(sparse, row, shape.entries, indices);
    }
  });
  set.storage = std::move(sparse);
  return set;
}

TileSet make_covering_rows(std::int64_t features) {
  constexpr std::int64_t kEntries = 40;
  TileSet set = make_rows((features + kEntries - 1) / kEntries, features);
  SparseTiles sparse = make_even_tiles(set, kEntries, false);
  for (std::int64_t tile = 0; tile < set.owned.end; ++tile) clear_tile(sparse, tile, kEntries);
  std::vector<std::uint32_t> indices;
  for (std::int64_t row = 0; row < set.shards.rows(); ++row) {
    indices.clear();
    for (std::int64_t j = row * kEntries; j < std::min(features, (row + 1) * kEntries); ++j) {
      indices.push_back(static_cast<std::uint32_t>(j));
    }
    put_row(sparse, row, kEntries, indices);
  }
  set.storage = std::move(sparse);
  return set;
}

}  // namespace ossau::bench
