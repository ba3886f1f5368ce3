#pragma once

#include "warp.cuh"

// Scores that solvers keep: losses and derivatives along a line, and arithmetic.

namespace ossau::device {

inline constexpr int kScoreThreads = 256;

/// Loss and derivatives at the scores z + t dz: a warp takes a tile for one t.
/// sums: [steps, LineSumLayout::kNumbers], 0 before.
class LineWarp {
 public:
  __device__ __forceinline__ explicit LineWarp(const LineTerms& line)
      : line_(line), step_(blockIdx.x % static_cast<unsigned>(line.steps)), t_(line.t[step_]) {}

  __device__ __forceinline__ void run(std::int64_t* sums) {
    const std::int64_t warps_of_block = blockDim.x / kWarp;
    const auto steps = static_cast<unsigned>(line_.steps);
    const std::int64_t first = blockIdx.x / steps * warps_of_block + threadIdx.x / kWarp;
    const std::int64_t apart = gridDim.x / steps * warps_of_block;
    for (std::int64_t tile = first; tile < line_.tiles; tile += apart) take_tile(tile);
    flush(sums + step_ * LineSumLayout::kNumbers);
  }

 private:
  __device__ __forceinline__ void take_tile(std::int64_t tile) {
    const InSlice present(line_.slices[tile]);
    const RowPair target = row_pair(line_.signed_weight + tile * kTileRows);
    const RowPair z = row_pair(line_.from + tile * kTileRows);
    const RowPair dz = row_pair(line_.along + tile * kTileRows);
    RowPair first;
    RowPair second;
    take_row(z.low, dz.low, target.low, present.low, first.low, second.low);
    take_row(z.high, dz.high, target.high, present.high, first.high, second.high);
    add_over_rows(first, line_.fixed_scale, first_);
    add_over_rows(second, line_.fixed_scale, second_);
  }

  __device__ __forceinline__ void take_row(float z, float dz, float signed_weight, bool present,
                                           float& first, float& second) {
    first = 0.0f;
    second = 0.0f;
    if (!present) return;
    const RowTarget<ScalarOps> target = {signed_weight};
    const float score = finite_or_zero(ScalarOps::fma(t_, dz, z), totals_);
    const float q = finite_or_zero(dz * line_.factor, totals_);
    const float weighted = target.residual(q);
    const LossValue<float> value = with_loss<ScalarOps>(
        line_.loss, [&](auto of_row) { return decltype(of_row)::value(score, target); });
    add_loss(value.loss * target.weight(), totals_);
    first = value.slope * weighted;
    second =
        curvature_of(line_.loss, score, target) * (ScalarOps::abs(weighted) * ScalarOps::abs(q));
  }

  __device__ __forceinline__ void flush(std::int64_t* sums) const {
    const std::int64_t values[LineSumLayout::kNumbers] = {sum_over_lanes(totals_.loss_floors),
                                                          sum_over_lanes(totals_.loss_fractions),
                                                          sum_over_lanes(totals_.not_finite),
                                                          sum_over_lanes(totals_.clamped),
                                                          sum_over_lanes(first_),
                                                          sum_over_lanes(second_)};
    if (lane_of_thread() != 0) return;
#pragma unroll
    for (std::size_t i = 0; i < LineSumLayout::kNumbers; ++i) add_to(sums + i, values[i]);
  }

  const LineTerms& line_;
  unsigned step_;
  float t_;
  StepTotals totals_;
  std::int64_t first_ = 0;  // in lane 0
  std::int64_t second_ = 0;
};

static __global__ void __launch_bounds__(kScoreThreads)
    line_kernel(const __grid_constant__ LineTerms line, std::int64_t* sums) {
  LineWarp(line).run(sums);
}

/// y <- a x + y.
static __global__ void __launch_bounds__(kScoreThreads)
    add_scaled_kernel(float a, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = global_thread(); i < count; i += global_threads()) {
    y[i] = ScalarOps::fma(a, x[i], y[i]);
  }
}

/// to <- x - y.
static __global__ void __launch_bounds__(kScoreThreads)
    subtract_kernel(const float* x, const float* y, float* to, std::int64_t count) {
  for (std::int64_t i = global_thread(); i < count; i += global_threads()) to[i] = x[i] - y[i];
}

/// The largest |x| as the bits of a float, which are ordered like integers; infinite where one is
/// not finite.  largest: 0 before.
static __global__ void __launch_bounds__(kScoreThreads)
    largest_kernel(const float* x, std::int64_t count, unsigned* largest) {
  constexpr unsigned kInfinite = 0x7f800000u;
  unsigned mine = 0;
  for (std::int64_t i = global_thread(); i < count; i += global_threads()) {
    const unsigned bits = bit_copy<std::uint32_t>(x[i]) & 0x7fffffffu;
    const unsigned bounded = bits < kInfinite ? bits : kInfinite;
    mine = bounded > mine ? bounded : mine;
  }
  if (mine != 0) atomicMax(largest, mine);
}

}  // namespace ossau::device
