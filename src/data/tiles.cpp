#include "data/tiles.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

namespace ossau {
namespace {

constexpr auto kRows = static_cast<std::size_t>(kTileRows);

std::size_t row_length(const Table& table, std::int64_t row) {
  const auto i = static_cast<std::size_t>(row);
  return static_cast<std::size_t>(table.row_start[i + 1] - table.row_start[i]);
}

// A row of zeros as it is stored: centring moves zero like any value.
std::vector<float> stored_zeros(const ColumnTransform& transform) {
  std::vector<float> zeros;
  for (std::int64_t j = 0; j < transform.columns(); ++j) zeros.push_back(transform.stored(0.0, j));
  return zeros;
}

void fill_dense_row(const Table& table, std::int64_t row, const ColumnTransform& transform,
                    const std::vector<float>& zeros, float* column_0) {
  for (std::size_t j = 0; j < zeros.size(); ++j) column_0[j * kRows] = zeros[j];
  const auto begin = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(row)]);
  for (std::size_t k = begin; k < begin + row_length(table, row); ++k) {
    column_0[table.index[k] * kRows] = transform.stored(table.value[k], table.index[k]);
  }
}

DenseTiles make_dense(const Rows& rows, const Shards& shards, Range owned,
                      const ColumnTransform& transform) {
  const auto d = static_cast<std::size_t>(transform.columns());
  const std::vector<float> zeros = stored_zeros(transform);
  DenseTiles dense;
  dense.values.resize(static_cast<std::size_t>(owned.size()) * d * kRows);
  for (std::int64_t tile = owned.begin; tile < owned.end; ++tile) {
    float* values = dense.values.data() + static_cast<std::size_t>(tile - owned.begin) * d * kRows;
    for (std::int64_t i = 0; i < shards.rows_in_tile(tile); ++i) {
      fill_dense_row(rows.table(), rows.row_at(tile * kTileRows + i), transform, zeros, values + i);
    }
  }
  return dense;
}

// The largest number of slices with slots + spill <= 1.5 non-zeros.
std::size_t slice_cap(const std::array<std::size_t, kRows>& lengths) {
  std::size_t entries = 0;
  for (const std::size_t length : lengths) entries += length;
  const std::size_t longest = *std::max_element(lengths.begin(), lengths.end());
  std::size_t cap = 0;
  for (; cap < longest; ++cap) {
    std::size_t spill = 0;
    for (const std::size_t length : lengths) spill += length > cap + 1 ? length - cap - 1 : 0;
    if (2 * ((cap + 1) * kRows + spill) > 3 * entries) break;
  }
  return cap;
}

class SparseBuilder {
 public:
  SparseBuilder(const Rows& rows, const ColumnTransform& transform)
      : rows_(rows), transform_(transform) {
    sparse_.slice_start.push_back(0);
    sparse_.spill_start.push_back(0);
  }

  void add_tile(std::int64_t tile, std::int64_t rows_in_tile) {
    std::array<std::size_t, kRows> lengths{};
    for (std::int64_t i = 0; i < rows_in_tile; ++i) {
      lengths[static_cast<std::size_t>(i)] = row_length(rows_.table(), row(tile, i));
    }
    const std::size_t cap = slice_cap(lengths);
    const std::size_t first_slot = sparse_.index.size();
    sparse_.index.resize(first_slot + cap * kRows, 0);
    sparse_.value.resize(first_slot + cap * kRows, 0.0f);
    for (std::int64_t i = 0; i < rows_in_tile; ++i) add_row(tile, i, first_slot, cap);
    for (const std::size_t length : lengths) {
      sparse_.length.push_back(static_cast<std::uint32_t>(length));
    }
    sparse_.slice_start.push_back(static_cast<std::int64_t>(sparse_.index.size() / kRows));
    sparse_.spill_start.push_back(static_cast<std::int64_t>(sparse_.spill_row.size()));
  }

  SparseTiles finish() {
    if (all_ones_) {
      sparse_.value = {};
      sparse_.spill_value = {};
    }
    return std::move(sparse_);
  }

 private:
  std::int64_t row(std::int64_t tile, std::int64_t i) const {
    return rows_.row_at(tile * kTileRows + i);
  }

  void add_row(std::int64_t tile, std::int64_t i, std::size_t first_slot, std::size_t cap) {
    const Table& table = rows_.table();
    const std::int64_t source = row(tile, i);
    const auto begin = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(source)]);
    for (std::size_t k = 0; k < row_length(table, source); ++k) {
      const std::uint32_t j = table.index[begin + k];
      const float x = transform_.stored(table.value[begin + k], j);
      all_ones_ = all_ones_ && x == 1.0f;
      if (k < cap) {
        const std::size_t slot = first_slot + k * kRows + static_cast<std::size_t>(i);
        sparse_.index[slot] = j;
        sparse_.value[slot] = x;
      } else {
        sparse_.spill_row.push_back(static_cast<std::uint8_t>(i));
        sparse_.spill_index.push_back(j);
        sparse_.spill_value.push_back(x);
      }
    }
  }

  const Rows& rows_;
  const ColumnTransform& transform_;
  SparseTiles sparse_;
  bool all_ones_ = true;
};

SparseTiles make_sparse(const Rows& rows, const Shards& shards, Range owned,
                        const ColumnTransform& transform) {
  SparseBuilder builder(rows, transform);
  for (std::int64_t tile = owned.begin; tile < owned.end; ++tile) {
    builder.add_tile(tile, shards.rows_in_tile(tile));
  }
  return builder.finish();
}

AlignedVector<float> make_signed_weights(const Rows& rows, const Shards& shards, Range owned,
                                         const RowWeights& weights, double weight_scale) {
  AlignedVector<float> signed_weight(static_cast<std::size_t>(owned.size()) * kRows, 0.0f);
  const Range here = shards.rows_of_tiles(owned);
  for (std::int64_t place = here.begin; place < here.end; ++place) {
    const std::int64_t row = rows.row_at(place);
    const auto c = static_cast<float>(weights(rows.table(), row) * weight_scale);
    const bool positive = rows.table().label[static_cast<std::size_t>(row)] == 1;
    signed_weight[static_cast<std::size_t>(place - here.begin)] = positive ? -c : c;
  }
  return signed_weight;
}

}  // namespace

TileSet make_tiles(const Rows& rows, Shards shards, Range owned, const ColumnTransform& transform,
                   Layout layout, const RowWeights& weights, double weight_scale) {
  TileSet tiles;
  tiles.shards = shards;
  tiles.owned = owned;
  tiles.features = transform.columns();
  tiles.signed_weight = make_signed_weights(rows, shards, owned, weights, weight_scale);
  if (layout == Layout::kDense) {
    tiles.storage = make_dense(rows, shards, owned, transform);
  } else {
    tiles.storage = make_sparse(rows, shards, owned, transform);
  }
  return tiles;
}

double largest_stored_feature(const TileSet& tiles) {
  float largest = 0;
  const auto look_at = [&largest](const auto& values) {
    for (const float x : values) largest = std::max(largest, std::fabs(x));
  };
  if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
    look_at(dense->values);
  } else {
    const auto& sparse = std::get<SparseTiles>(tiles.storage);
    look_at(sparse.value);
    look_at(sparse.spill_value);
    if (sparse.implicit_ones()) largest = 1;
  }
  return largest;
}

Int128 sum_of_weights(const TileSet& tiles) {
  Int128 sum = 0;
  for (const float c : tiles.signed_weight) sum += to_wide(std::fabs(static_cast<double>(c)));
  return sum;
}

namespace {

// Squared norms of a tile's 64 rows, entries in stored order.
using Norms = std::array<double, kRows>;

Norms squared_norms(const DenseTiles& dense, std::size_t tile, std::size_t d,
                    const ColumnTransform& transform) {
  Norms norms{};
  const float* values = dense.values.data() + tile * d * kRows;
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t i = 0; i < kRows; ++i) {
      const double x = static_cast<double>(values[j * kRows + i]) * transform.exponent_power[j];
      norms[i] += x * x;
    }
  }
  return norms;
}

Norms squared_norms(const SparseTiles& sparse, std::size_t tile, std::size_t /*d*/,
                    const ColumnTransform& transform) {
  Norms norms{};
  const auto add = [&](std::size_t i, float x, std::uint32_t j) {
    const double feature = static_cast<double>(x) * transform.exponent_power[j];
    norms[i] += feature * feature;
  };
  const auto first = static_cast<std::size_t>(sparse.slice_start[tile]);
  const auto end = static_cast<std::size_t>(sparse.slice_start[tile + 1]);
  for (std::size_t slice = first; slice < end; ++slice) {
    for (std::size_t i = 0; i < kRows; ++i) {
      const std::size_t slot = slice * kRows + i;
      if (slice - first >= sparse.length[tile * kRows + i]) continue;
      add(i, sparse.implicit_ones() ? 1.0f : sparse.value[slot], sparse.index[slot]);
    }
  }
  const auto spill_end = static_cast<std::size_t>(sparse.spill_start[tile + 1]);
  for (auto k = static_cast<std::size_t>(sparse.spill_start[tile]); k < spill_end; ++k) {
    add(sparse.spill_row[k], sparse.implicit_ones() ? 1.0f : sparse.spill_value[k],
        sparse.spill_index[k]);
  }
  return norms;
}

}  // namespace

double largest_row_norm(const TileSet& tiles, const ColumnTransform& transform, bool intercept) {
  double largest = 0;
  for (std::size_t tile = 0; tile < static_cast<std::size_t>(tiles.owned.size()); ++tile) {
    const Norms norms = std::visit(
        [&](const auto& storage) {
          return squared_norms(storage, tile, static_cast<std::size_t>(tiles.features), transform);
        },
        tiles.storage);
    for (std::size_t i = 0; i < kRows; ++i) {
      const double c = std::fabs(static_cast<double>(tiles.signed_weight[tile * kRows + i]));
      largest = std::max(largest, c * (norms[i] + (intercept ? 1.0 : 0.0)));
    }
  }
  return largest;
}

}  // namespace ossau
