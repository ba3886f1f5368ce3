#pragma once

#include <array>
#include <cstdint>
#include <variant>
#include <vector>

#include "core/aligned.hpp"
#include "core/thread_pool.hpp"
#include "data/rows.hpp"
#include "data/shards.hpp"
#include "data/statistics.hpp"

namespace ossau {

// Rows live in tiles of 64.  SIMD lanes and GPU threads are rows, so every load is contiguous.

/// values[(tile * d + column) * 64 + row]; absent rows of the last tile hold 0.
struct DenseTiles {
  UntouchedVector<float> values;  // [tiles, d, 64]
};

/// Sliced rows: a tile holds the first entries of its rows, up to a cap of its own, transposed like
/// a dense tile; what a longer row has left follows in the tile's spill list, continued in the same
/// chain.  Slots and spill together are at most 1.5 times the tile's entries.
struct SparseTiles {
  std::vector<std::int64_t> slice_start;  // [tiles + 1], in slices of 64 slots
  UntouchedVector<std::uint32_t> index;   // [slices, 64]; 0 past a row's end
  UntouchedVector<float> value;           // [slices, 64]; empty: every stored value is 1
  AlignedVector<std::uint32_t> length;    // [tiles, 64], entries of each row, spilled ones included
  std::vector<std::int64_t> spill_start;  // [tiles + 1]
  std::vector<std::uint8_t> spill_row;    // row in the tile, ascending
  std::vector<std::uint32_t> spill_index;
  std::vector<float> spill_value;  // empty: ones

  bool implicit_ones() const { return value.empty() && spill_value.empty(); }
};

/// One rank's part of a set of rows.
struct TileSet {
  Shards shards{0, 1};
  Range owned;                         // tiles that are here; tile t is at place t - owned.begin
  std::int64_t features = 0;           // d
  AlignedVector<float> signed_weight;  // [tiles, 64]: -c positive, +c negative, 0 absent; c <= 1
  std::variant<DenseTiles, SparseTiles> storage;
  double total_weight = 0;     // W: sum of c over the rows of all ranks
  double positive_weight = 0;  // the positive rows' part of W
  double largest_feature = 1;  // of all ranks, as stored; above 1 only outside of training
};

/// The tiles of `owned`.  `weight_scale`, a power of two, brings the largest weight of any rank's
/// row to at most 1.  Sums of weights are left for the caller, who can ask the other ranks.
/// Each thread of `pool` writes an even share of the tiles, so that it also places their memory.
TileSet make_tiles(const Rows& rows, Shards shards, Range owned, const ColumnTransform& transform,
                   Layout layout, const RowWeights& weights, double weight_scale, ThreadPool& pool);

/// The largest stored feature that is here, in absolute value.
double largest_stored_feature(const TileSet& tiles);

/// Sums of c over the rows of each class that are here, with 62 fractional bits.
std::array<Int128, 2> sums_of_weights(const TileSet& tiles);

/// max_i c_i (||x_i||^2 + intercept) over the rows that are here, x in the units of the features.
double largest_row_norm(const TileSet& tiles, const ColumnTransform& transform, bool intercept);

}  // namespace ossau
