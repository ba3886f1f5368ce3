#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"
#include "backend/backend.hpp"
#include "data/tiles.hpp"

namespace ossau::test {

// The arithmetic contract written down a second time, as plainly as it can be said: row by row,
// straight from docs/arithmetic.md, with none of the program's passes.

/// The entries of one row in stored order.
struct RowEntries {
  std::vector<std::uint32_t> index;
  std::vector<float> value;
};

inline RowEntries entries_of(const TileSet& tiles, std::size_t tile, std::size_t row) {
  RowEntries entries;
  const auto add = [&](std::uint32_t j, float x) {
    entries.index.push_back(j);
    entries.value.push_back(x);
  };
  const auto d = static_cast<std::size_t>(tiles.features);
  if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
    for (std::size_t j = 0; j < d; ++j) {
      add(static_cast<std::uint32_t>(j), dense->values[(tile * d + j) * 64 + row]);
    }
    return entries;
  }
  const auto& sparse = std::get<SparseTiles>(tiles.storage);
  const bool ones = sparse.implicit_ones();
  const auto first = static_cast<std::size_t>(sparse.slice_start[tile]);
  const auto end = static_cast<std::size_t>(sparse.slice_start[tile + 1]);
  for (std::size_t slice = first; slice < end; ++slice) {
    if (slice - first >= sparse.length[tile * 64 + row]) break;
    add(sparse.index[slice * 64 + row], ones ? 1.0f : sparse.value[slice * 64 + row]);
  }
  for (auto k = static_cast<std::size_t>(sparse.spill_start[tile]);
       k < static_cast<std::size_t>(sparse.spill_start[tile + 1]); ++k) {
    if (sparse.spill_row[k] == row) {
      add(sparse.spill_index[k], ones ? 1.0f : sparse.spill_value[k]);
    }
  }
  return entries;
}

inline float reference_score(const RowEntries& row, const std::vector<float>& weights,
                             float intercept, float weight_scale = 1.0f) {
  float total = 0;
  for (std::size_t first = 0; first < row.index.size(); first += 256) {
    float chunk = 0;
    for (std::size_t k = first; k < std::min(first + 256, row.index.size()); ++k) {
      chunk = std::fma(row.value[k], weights[row.index[k]], chunk);
    }
    total += chunk;
  }
  return std::fma(weight_scale, total, intercept);
}

inline float reference_butterfly(std::array<float, 32> a) {
  for (std::size_t o = 16; o > 0; o /= 2) {
    for (std::size_t i = 0; i < o; ++i) a[i] += a[i + o];
  }
  return a[0];
}

/// The sums (SumLayout) of some slices at float32 weights [d + 1], all but the last of them times
/// `weight_scale`.
inline std::vector<std::int64_t> reference_sums(const TileSet& tiles,
                                                const std::vector<TileSlice>& slices,
                                                const std::vector<float>& weights, int bits,
                                                float weight_scale = 1.0f) {
  const auto d = static_cast<std::size_t>(tiles.features);
  const double scale = std::ldexp(1.0, bits);
  std::vector<std::int64_t> sums(d + 5, 0);
  for (const TileSlice& slice : slices) {
    const auto tile = static_cast<std::size_t>(slice.tile - tiles.owned.begin);
    std::array<float, 64> r{};
    std::array<RowEntries, 64> rows;
    for (auto i = static_cast<std::size_t>(slice.row_begin);
         i < static_cast<std::size_t>(slice.row_end); ++i) {
      rows[i] = entries_of(tiles, tile, i);
      float z = reference_score(rows[i], weights, weights[d], weight_scale);
      if (!std::isfinite(z)) {
        ++sums[d + 3];
        z = 0;
      }
      const RowLoss<float> loss =
          LogisticLoss<ScalarOps>::at(z, {tiles.signed_weight[tile * 64 + i]});
      r[i] = loss.residual;
      if (loss.loss > 2147483648.0f) ++sums[d + 4];
      const float clamped = std::min(loss.loss, 2147483648.0f);
      sums[d + 1] += static_cast<std::int64_t>(std::floor(clamped));
      sums[d + 2] += to_fixed(clamped - std::floor(clamped), 4294967296.0);
    }
    std::array<float, 32> a{};
    for (std::size_t l = 0; l < 32; ++l) a[l] = std::fma(r[l + 32], 1.0f, r[l] * 1.0f);
    sums[d] += to_fixed(reference_butterfly(a), scale);
    if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
      for (std::size_t j = 0; j < d; ++j) {
        const float* x = &dense->values[(tile * d + j) * 64];
        for (std::size_t l = 0; l < 32; ++l) {
          a[l] = std::fma(r[l + 32], x[l + 32], r[l] * x[l]);
        }
        sums[j] += to_fixed(reference_butterfly(a), scale);
      }
    } else {
      for (std::size_t i = 0; i < 64; ++i) {
        for (std::size_t k = 0; k < rows[i].index.size(); ++k) {
          sums[rows[i].index[k]] += to_fixed(r[i] * rows[i].value[k], scale);
        }
      }
    }
  }
  return sums;
}

}  // namespace ossau::test
