#pragma once

#include "row_stage.cuh"

// Dense columns in groups of 32 that lie in shared memory as [columns, 64 rows].

namespace ossau::device {

/// Continues the chains of a lane's two rows by a group's columns.
/// x: [columns, 64].  weights: [columns].
__device__ __forceinline__ void score_group(const float* x, const float* weights, int columns,
                                            RowPair& chain) {
  x += lane_of_thread();
#pragma unroll 8
  for (int j = 0; j < columns; ++j) {
    const float w = weights[j];
    chain.low = ScalarOps::fma(x[j * kTileRows], w, chain.low);
    chain.high = ScalarOps::fma(x[j * kTileRows + 32], w, chain.high);
  }
}

/// A column's part of a lane: a_l = fma(r_(l+32), x_(l+32), r_l x_l); of x^2, rounded, if squared.
__device__ __forceinline__ float lane_part(const float* x, RowPair residual, bool squared) {
  const float low = squared ? x[0] * x[0] : x[0];
  const float high = squared ? x[32] * x[32] : x[32];
  return ScalarOps::fma(residual.high, high, residual.low * low);
}

/// The tile's sums of a group's columns, rounded: that of column l in lane l, 0 in lanes without.
/// kWholeApart: whole groups have code of their own, which pays where there is little of it.
template <bool kWholeApart = true>
__device__ __forceinline__ std::int64_t sum_group(const float* x, RowPair residual, int columns,
                                                  double fixed_scale, bool squared = false) {
  x += lane_of_thread();
  float a[kGroupColumns];
  if (kWholeApart && columns == kGroupColumns) {
#pragma unroll
    for (int j = 0; j < kGroupColumns; ++j) a[j] = lane_part(x + j * kTileRows, residual, squared);
  } else {
#pragma unroll
    for (int j = 0; j < kGroupColumns; ++j) {
      a[j] = j < columns ? lane_part(x + j * kTileRows, residual, squared) : 0.0f;
    }
  }
  const float sum = transposed_butterfly(a);
  return static_cast<int>(lane_of_thread()) < columns ? to_fixed(sum, fixed_scale) : 0;
}

}  // namespace ossau::device
