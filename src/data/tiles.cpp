#include "data/tiles.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "arith/loss.hpp"

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

// fill(tile) for every owned tile, each thread its share.
template <class Fill>
void for_each_tile(ThreadPool& pool, Range owned, const Fill& fill) {
  pool.split(owned.size(), 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) fill(owned.begin + i);
  });
}

DenseTiles make_dense(const Rows& rows, const Shards& shards, Range owned,
                      const ColumnTransform& transform, ThreadPool& pool) {
  const auto d = static_cast<std::size_t>(transform.columns());
  const std::vector<float> zeros = stored_zeros(transform);
  DenseTiles dense;
  dense.values.resize(static_cast<std::size_t>(owned.size()) * d * kRows);
  for_each_tile(pool, owned, [&](std::int64_t tile) {
    float* values = dense.values.data() + static_cast<std::size_t>(tile - owned.begin) * d * kRows;
    const std::int64_t present = shards.rows_in_tile(tile);
    if (present < kTileRows) std::fill_n(values, d * kRows, 0.0f);
    for (std::int64_t i = 0; i < present; ++i) {
      fill_dense_row(rows.table(), rows.row_at(tile * kTileRows + i), transform, zeros, values + i);
    }
  });
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

// Counts what each tile will hold, then fills all tiles where they belong: both by many threads.
class SparseBuilder {
 public:
  SparseBuilder(const Rows& rows, const Shards& shards, Range owned,
                const ColumnTransform& transform, ThreadPool& pool)
      : rows_(rows), shards_(shards), owned_(owned), transform_(transform), pool_(pool) {
    const auto tiles = static_cast<std::size_t>(owned.size());
    sparse_.slice_start.resize(tiles + 1, 0);
    sparse_.spill_start.resize(tiles + 1, 0);
    sparse_.length.resize(tiles * kRows, 0);
  }

  SparseTiles build() {
    for_each_tile(pool_, owned_, [&](std::int64_t tile) { count(tile); });
    std::partial_sum(sparse_.slice_start.begin(), sparse_.slice_start.end(),
                     sparse_.slice_start.begin());
    std::partial_sum(sparse_.spill_start.begin(), sparse_.spill_start.end(),
                     sparse_.spill_start.begin());
    const auto slots = static_cast<std::size_t>(sparse_.slice_start.back()) * kRows;
    const auto spilled = static_cast<std::size_t>(sparse_.spill_start.back());
    sparse_.index.resize(slots);
    sparse_.spill_row.resize(spilled);
    sparse_.spill_index.resize(spilled);
    if (!all_ones_) {
      sparse_.value.resize(slots);
      sparse_.spill_value.resize(spilled);
    }
    for_each_tile(pool_, owned_, [&](std::int64_t tile) { fill(tile); });
    return std::move(sparse_);
  }

 private:
  std::size_t place(std::int64_t tile) const {
    return static_cast<std::size_t>(tile - owned_.begin);
  }

  template <class Visit>
  void each_row(std::int64_t tile, const Visit& visit) const {
    for (std::int64_t i = 0; i < shards_.rows_in_tile(tile); ++i) {
      visit(static_cast<std::size_t>(i), rows_.row_at(tile * kTileRows + i));
    }
  }

  // visit(k, feature, stored value) for the k-th entry of a row.
  template <class Visit>
  void each_entry(std::int64_t row, const Visit& visit) const {
    const Table& table = rows_.table();
    const auto begin = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(row)]);
    for (std::size_t k = 0; k < row_length(table, row); ++k) {
      const std::uint32_t j = table.index[begin + k];
      visit(k, j, transform_.stored(table.value[begin + k], j));
    }
  }

  void count(std::int64_t tile) {
    std::array<std::size_t, kRows> lengths{};
    bool ones = true;
    each_row(tile, [&](std::size_t i, std::int64_t row) {
      lengths[i] = row_length(rows_.table(), row);
      each_entry(row, [&](std::size_t, std::uint32_t, float x) { ones = ones && x == 1.0f; });
    });
    const std::size_t cap = slice_cap(lengths);
    std::size_t spill = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
      sparse_.length[place(tile) * kRows + i] = static_cast<std::uint32_t>(lengths[i]);
      spill += lengths[i] - std::min(lengths[i], cap);
    }
    sparse_.slice_start[place(tile) + 1] = static_cast<std::int64_t>(cap);
    sparse_.spill_start[place(tile) + 1] = static_cast<std::int64_t>(spill);
    if (!ones) all_ones_ = false;
  }

  void fill(std::int64_t tile) {
    const auto first = static_cast<std::size_t>(sparse_.slice_start[place(tile)]);
    const auto end = static_cast<std::size_t>(sparse_.slice_start[place(tile) + 1]);
    std::fill(sparse_.index.data() + first * kRows, sparse_.index.data() + end * kRows, 0U);
    if (!all_ones_) {
      std::fill(sparse_.value.data() + first * kRows, sparse_.value.data() + end * kRows, 0.0f);
    }
    auto spill = static_cast<std::size_t>(sparse_.spill_start[place(tile)]);
    each_row(tile, [&](std::size_t i, std::int64_t row) {
      each_entry(row, [&](std::size_t k, std::uint32_t j, float x) {
        if (k < end - first) {
          put(sparse_.index, sparse_.value, (first + k) * kRows + i, j, x);
        } else {
          sparse_.spill_row[spill] = static_cast<std::uint8_t>(i);
          put(sparse_.spill_index, sparse_.spill_value, spill++, j, x);
        }
      });
    });
  }

  template <class Indices, class Values>
  void put(Indices& indices, Values& values, std::size_t at, std::uint32_t j, float x) const {
    indices[at] = j;
    if (!all_ones_) values[at] = x;
  }

  const Rows& rows_;
  const Shards& shards_;
  Range owned_;
  const ColumnTransform& transform_;
  ThreadPool& pool_;
  SparseTiles sparse_;
  std::atomic<bool> all_ones_{true};
};

AlignedVector<float> make_signed_weights(const Rows& rows, const Shards& shards, Range owned,
                                         const RowWeights& weights, double weight_scale) {
  AlignedVector<float> targets(static_cast<std::size_t>(owned.size()) * kRows, 0.0f);
  const Range here = shards.rows_of_tiles(owned);
  for (std::int64_t place = here.begin; place < here.end; ++place) {
    const std::int64_t row = rows.row_at(place);
    const auto c = static_cast<float>(weights(rows.table(), row) * weight_scale);
    const bool positive = rows.table().label[static_cast<std::size_t>(row)] == 1;
    targets[static_cast<std::size_t>(place - here.begin)] = signed_weight(positive, c);
  }
  return targets;
}

}  // namespace

TileSet make_tiles(const Rows& rows, Shards shards, Range owned, const ColumnTransform& transform,
                   Layout layout, const RowWeights& weights, double weight_scale,
                   ThreadPool& pool) {
  TileSet tiles;
  tiles.shards = shards;
  tiles.owned = owned;
  tiles.features = transform.columns();
  tiles.signed_weight = make_signed_weights(rows, shards, owned, weights, weight_scale);
  if (layout == Layout::kDense) {
    tiles.storage = make_dense(rows, shards, owned, transform, pool);
  } else {
    tiles.storage = SparseBuilder(rows, shards, owned, transform, pool).build();
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

std::array<Int128, 2> sums_of_weights(const TileSet& tiles) {
  std::array<Int128, 2> sums = {0, 0};
  for (const float c : tiles.signed_weight) {
    sums[is_positive(c) ? 1 : 0] += to_wide(std::fabs(static_cast<double>(c)));
  }
  return sums;
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
