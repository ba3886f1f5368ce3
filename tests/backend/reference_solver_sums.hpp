#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/reference_sums.hpp"
#include "backend/solver_passes.hpp"

namespace ossau::test {

// "What solvers add up" of docs/arithmetic.md a second time, row by row as in reference_sums.hpp;
// and the values that the sums stand for, in float64 by libm.

/// Rows of `tiles`, all of them here.
inline std::size_t row_count(const TileSet& tiles) {
  return static_cast<std::size_t>(tiles.shards.rows());
}

inline std::vector<float> reference_scores(const TileSet& tiles,
                                           const std::vector<float>& weights) {
  std::vector<float> scores;
  for (std::size_t i = 0; i < row_count(tiles); ++i) {
    scores.push_back(reference_score(entries_of(tiles, i / 64, i % 64), weights, weights.back()));
  }
  return scores;
}

/// The tile's sum of its rows' numbers.
inline std::int64_t reference_tile_sum(const std::array<float, 64>& rows, int bits) {
  std::array<float, 32> a{};
  for (std::size_t l = 0; l < 32; ++l) a[l] = rows[l] + rows[l + 32];
  return to_fixed(reference_butterfly(a), std::ldexp(1.0, bits));
}

/// Adds X'h, or with x^2 in place of x, to one run [d + 1].
/// h: [rows].
inline std::vector<std::int64_t> reference_run(const TileSet& tiles, const std::vector<float>& h,
                                               bool squared, int bits) {
  const auto d = static_cast<std::size_t>(tiles.features);
  const double scale = std::ldexp(1.0, bits);
  const auto value = [&](float x) { return squared ? x * x : x; };
  std::vector<std::int64_t> sums(d + 1, 0);
  for (std::size_t tile = 0; tile * 64 < h.size(); ++tile) {
    std::array<float, 64> of_tile{};
    for (std::size_t i = tile * 64; i < std::min(h.size(), tile * 64 + 64); ++i) {
      of_tile[i % 64] = h[i];
      if (std::holds_alternative<DenseTiles>(tiles.storage)) continue;
      const RowEntries row = entries_of(tiles, tile, i % 64);
      for (std::size_t k = 0; k < row.index.size(); ++k) {
        sums[row.index[k]] += to_fixed(h[i] * value(row.value[k]), scale);
      }
    }
    sums[d] += reference_tile_sum(of_tile, bits);
    const auto* dense = std::get_if<DenseTiles>(&tiles.storage);
    for (std::size_t j = 0; dense != nullptr && j < d; ++j) {
      const float* x = &dense->values[(tile * d + j) * 64];
      std::array<float, 32> a{};
      for (std::size_t l = 0; l < 32; ++l) {
        a[l] = std::fma(of_tile[l + 32], value(x[l + 32]), of_tile[l] * value(x[l]));
      }
      sums[j] += to_fixed(reference_butterfly(a), scale);
    }
  }
  return sums;
}

/// cD of every row.
inline std::vector<float> reference_curvatures(const TileSet& tiles,
                                               const std::vector<float>& scores) {
  std::vector<float> h;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const float score = std::isfinite(scores[i]) ? scores[i] : 0;
    h.push_back(logistic_curvature<ScalarOps>(score) * std::fabs(tiles.signed_weight[i]));
  }
  return h;
}

/// GramLayout: the sums of q_i q_j, the intercept being a last column of ones.
inline std::vector<std::int64_t> reference_gram(const TileSet& tiles,
                                                const std::vector<float>& scores) {
  const GramLayout layout{static_cast<std::size_t>(tiles.features)};
  std::vector<std::int64_t> sums(layout.size(), 0);
  const std::vector<float> h = reference_curvatures(tiles, scores);
  for (std::size_t i = 0; i < h.size(); ++i) {
    RowEntries row = entries_of(tiles, i / 64, i % 64);
    row.index.push_back(static_cast<std::uint32_t>(layout.features));
    row.value.push_back(1);
    std::vector<std::int64_t> q;
    for (const float x : row.value) {
      const float product = std::sqrt(h[i]) * x;
      q.push_back(std::llrint(static_cast<double>(product) * 8192));
    }
    for (std::size_t a = 0; a < q.size(); ++a) {
      if (q[a] == 0) continue;
      // Columns ascend.
      std::int64_t* of_row = &sums[layout.row(row.index[a])] - row.index[a];
      for (std::size_t b = a; b < q.size(); ++b) of_row[row.index[b]] += q[a] * q[b];
    }
  }
  return sums;
}

/// The coefficients of a Hessian product, and how many scores were not finite.
struct ReferenceHessian {
  std::vector<float> coefficients;
  std::int64_t not_finite = 0;
};

inline ReferenceHessian reference_hessian(const TileSet& tiles, const std::vector<float>& at,
                                          const std::vector<float>& direction_scores,
                                          int exponent) {
  ReferenceHessian result;
  const auto finite = [&](float x) {
    if (std::isfinite(x)) return x;
    ++result.not_finite;
    return 0.0f;
  };
  for (std::size_t i = 0; i < at.size(); ++i) {
    const float q = finite(direction_scores[i] * std::ldexp(1.0f, -exponent));
    const float weight = std::fabs(tiles.signed_weight[i]);
    result.coefficients.push_back(weight * q * logistic_curvature<ScalarOps>(finite(at[i])));
  }
  return result;
}

/// The numbers of one step along a line, [LineSumLayout::kNumbers].
inline std::vector<std::int64_t> reference_line(const TileSet& tiles, const std::vector<float>& z,
                                                const std::vector<float>& dz, float t, int exponent,
                                                int bits) {
  std::vector<std::int64_t> sums(LineSumLayout::kNumbers, 0);
  const auto finite = [&](float x) {
    if (std::isfinite(x)) return x;
    ++sums[2];
    return 0.0f;
  };
  for (std::size_t tile = 0; tile * 64 < z.size(); ++tile) {
    std::array<float, 64> first{};
    std::array<float, 64> second{};
    for (std::size_t i = tile * 64; i < std::min(z.size(), tile * 64 + 64); ++i) {
      const float c = tiles.signed_weight[i];
      const float score = finite(std::fma(t, dz[i], z[i]));
      const float q = finite(dz[i] * std::ldexp(1.0f, -exponent));
      const float loss = LogisticLoss<ScalarOps>::at(score, {c}).loss;
      const float clamped = std::min(loss, 2147483648.0f);
      sums[0] += static_cast<std::int64_t>(std::floor(clamped));
      sums[1] += to_fixed(clamped - std::floor(clamped), 4294967296.0);
      sums[3] += loss > 2147483648.0f ? 1 : 0;
      const float m = std::signbit(c) ? -score : score;
      first[i % 64] = logistic<ScalarOps>(m).sigmoid * (c * q);
      second[i % 64] = logistic_curvature<ScalarOps>(m) * (std::fabs(c * q) * std::fabs(q));
    }
    sums[LineSumLayout::kFirst] += reference_tile_sum(first, bits);
    sums[LineSumLayout::kSecond] += reference_tile_sum(second, bits);
  }
  return sums;
}

/// The bound R of docs/arithmetic.md: the largest c^(1/2) (|x|^2 + 1)^(1/2), in units of features.
inline double row_bound(const TileSet& tiles, const std::vector<double>& exponent_power) {
  double largest = 0;
  for (std::size_t i = 0; i < row_count(tiles); ++i) {
    const RowEntries row = entries_of(tiles, i / 64, i % 64);
    double norm = 1;
    for (std::size_t k = 0; k < row.index.size(); ++k) {
      const double x = static_cast<double>(row.value[k]) * exponent_power[row.index[k]];
      norm += x * x;
    }
    largest = std::max(largest, std::fabs(static_cast<double>(tiles.signed_weight[i])) * norm);
  }
  return std::sqrt(largest);
}

/// |p| in units of features, the intercept included; weights: [d + 1], as they score.
inline double direction_norm(const std::vector<float>& weights,
                             const std::vector<double>& exponent_power) {
  double square = 0;
  for (std::size_t j = 0; j < weights.size(); ++j) {
    const double power = j < exponent_power.size() ? exponent_power[j] : 1.0;
    const double p = static_cast<double>(weights[j]) / power;
    square += p * p;
  }
  return std::sqrt(square);
}

}  // namespace ossau::test
