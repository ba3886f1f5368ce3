#pragma once

#include <cstdint>

#include "data/tiles.hpp"

// Rows to measure with, the same on every machine: every number comes from its place by a counter
// and a hash, without the C library's exp and log.

namespace ossau::bench {

/// Features in [-1, 1), labels by a coin, weights 1, tiles filled as far as the rows reach.
TileSet make_dense_rows(std::int64_t rows, std::int64_t features);

struct SparseShape {
  std::int64_t rows = 0;
  std::int64_t entries = 40;  // of every row
  std::int64_t features = 1'000'000;
  bool values = false;  // false: implicit ones
};

/// A row's indices are floor(features^u) for uniform u, distinct and ascending: few features are
/// in most rows and most are rare, as words and categories are.
TileSet make_sparse_rows(const SparseShape& shape);

/// Just enough rows that every feature is in one of them, each in one.
TileSet make_covering_rows(std::int64_t features);

}  // namespace ossau::bench
