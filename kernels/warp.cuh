#pragma once

#include "arguments.hpp"
#include "arith/contract.hpp"
#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"
#include "device.cuh"

// What the gradient kernels do with one tile in one warp: lane l has rows l and l + 32.

namespace ossau::device {

using namespace cuda;  // what hosts and kernels tell each other

inline constexpr unsigned kWarp = 32;
inline constexpr unsigned kEveryLane = 0xffffffffu;
inline constexpr int kGroupColumns = 32;  // columns of a group: one for each lane in the end

/// One number of each of a lane's two rows.
struct RowPair {
  float low;   // row l
  float high;  // row l + 32
};

__device__ __forceinline__ unsigned lane_of_thread() { return threadIdx.x % kWarp; }

/// For loops that a whole grid shares: which thread of all this is, and how many there are.
__device__ __forceinline__ std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t global_threads() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}
/// The same of warps.
__device__ __forceinline__ std::int64_t global_warp() { return global_thread() / kWarp; }
__device__ __forceinline__ std::int64_t global_warps() { return global_threads() / kWarp; }

/// a_l + a_(l+o), o = 16, 8, 4, 2, 1: the butterfly of docs/arithmetic.md, in every lane.
__device__ __forceinline__ float butterfly(float a) {
#pragma unroll
  for (int o = 16; o > 0; o /= 2) a += __shfl_xor_sync(kEveryLane, a, o);
  return a;
}

/// One stage of the butterflies of 2 kStride columns: a lane keeps kStride of them and gives up the
/// others to its partner.  (A template: registers have no index that is not known in advance.)
template <int kStride>
__device__ __forceinline__ void transposed_stage(float (&a)[kGroupColumns]) {
  const bool upper = (lane_of_thread() & static_cast<unsigned>(kStride)) != 0;
#pragma unroll
  for (int i = 0; i < kStride; ++i) {
    const float sent = upper ? a[i] : a[i + kStride];
    const float kept = upper ? a[i + kStride] : a[i];
    a[i] = kept + __shfl_xor_sync(kEveryLane, sent, kStride);
  }
}

/// The butterflies of 32 columns at once, in 31 shuffles: lane l returns the sum of column l.
/// a: [32], used up.
__device__ __forceinline__ float transposed_butterfly(float (&a)[kGroupColumns]) {
  transposed_stage<16>(a);
  transposed_stage<8>(a);
  transposed_stage<4>(a);
  transposed_stage<2>(a);
  transposed_stage<1>(a);
  return a[0];
}

/// Adds to a sum in global memory; nothing to add costs nothing.
__device__ __forceinline__ void add_to(std::int64_t* sum, std::int64_t value) {
  if (value == 0) return;
  atomicAdd(reinterpret_cast<unsigned long long*>(sum), static_cast<unsigned long long>(value));
}

/// What a lane adds up beside the features' sums, of which there are kRuns.
template <int kRuns>
struct RunTotals {
  std::int64_t intercept[kRuns] = {};  // in lane 0
  StepTotals totals;

  __device__ __forceinline__ void add(const RunTotals& other) {
#pragma unroll
    for (int run = 0; run < kRuns; ++run) intercept[run] += other.intercept[run];
    totals.loss_floors += other.totals.loss_floors;
    totals.loss_fractions += other.totals.loss_fractions;
    totals.not_finite += other.totals.not_finite;
    totals.clamped += other.totals.clamped;
  }
};
using LaneTotals = RunTotals<1>;

__device__ __forceinline__ std::int64_t sum_over_lanes(std::int64_t value) {
#pragma unroll
  for (int o = 16; o > 0; o /= 2) value += __shfl_xor_sync(kEveryLane, value, o);
  return value;
}

/// Adds the totals of a warp's lanes to `sums`: kRuns of d features and the intercept, StepTotals.
template <int kRuns>
__device__ __forceinline__ void flush_totals(const RunTotals<kRuns>& mine, std::int64_t features,
                                             std::int64_t* sums) {
  const std::int64_t values[4] = {
      sum_over_lanes(mine.totals.loss_floors), sum_over_lanes(mine.totals.loss_fractions),
      sum_over_lanes(mine.totals.not_finite), sum_over_lanes(mine.totals.clamped)};
  if (lane_of_thread() != 0) return;
#pragma unroll
  for (int run = 0; run < kRuns; ++run) {
    add_to(sums + run * (features + 1) + features, mine.intercept[run]);
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) add_to(sums + kRuns * (features + 1) + i, values[i]);
}

/// A score, or 0 in place of one that is not finite, which is counted.
__device__ __forceinline__ float finite_or_zero(float score, StepTotals& totals) {
  const bool finite = is_finite(score);
  totals.not_finite += finite ? 0 : 1;
  return finite ? score : 0.0f;
}

/// Adds a row's loss, clamped.
__device__ __forceinline__ void add_loss(float loss, StepTotals& totals) {
  const bool small = kLargestLoss >= loss;
  totals.clamped += small ? 0 : 1;
  const float clamped = small ? loss : kLargestLoss;
  // Exact for [0, 2^31].
  const auto floor = static_cast<std::int64_t>(clamped);
  totals.loss_floors += floor;
  totals.loss_fractions += to_fixed(clamped - static_cast<float>(floor), kLossFractionScale);
}

/// Whether a lane's two rows are in a slice.
struct InSlice {
  bool low;
  bool high;

  __device__ __forceinline__ explicit InSlice(const TileSlice& slice)
      : low(contains(slice, 0)), high(contains(slice, 32)) {}

 private:
  static __device__ __forceinline__ bool contains(const TileSlice& slice, std::int32_t first) {
    const std::int32_t i = static_cast<std::int32_t>(lane_of_thread()) + first;
    return i >= slice.row_begin && i < slice.row_end;
  }
};

/// Residual of one row from its score, and what it adds to the totals.  A row outside of the slice
/// has residual and loss 0.
__device__ __forceinline__ float finish_row(LossKind loss, float score, float signed_weight,
                                            bool in_batch, StepTotals& totals) {
  if (!in_batch) return 0.0f;
  const float finite = finite_or_zero(score, totals);
  const RowLoss<float> row = with_loss<ScalarOps>(
      loss, [&](auto of_row) { return decltype(of_row)::at(finite, {signed_weight}); });
  add_loss(row.loss, totals);
  return row.residual;
}

/// A lane's part of 64 numbers of a tile's rows.
__device__ __forceinline__ RowPair row_pair(const float* of_rows) {
  return {of_rows[lane_of_thread()], of_rows[lane_of_thread() + 32]};
}

/// Adds the sum of a tile's 64 numbers, rounded, to `sum` in lane 0.
__device__ __forceinline__ void add_over_rows(RowPair rows, double fixed_scale, std::int64_t& sum) {
  // fma(r, 1, r' * 1) rounds the same sum.
  const std::int64_t fixed = to_fixed(butterfly(rows.high + rows.low), fixed_scale);
  if (lane_of_thread() == 0) sum += fixed;
}

/// The second derivative of a row's loss, without the row's weight.
__device__ __forceinline__ float curvature_of(LossKind loss, float score,
                                              const RowTarget<ScalarOps>& target) {
  return with_loss<ScalarOps>(
      loss, [&](auto of_row) { return decltype(of_row)::curvature(score, target); });
}

/// The residuals of a tile's rows from their scores.
/// fixed_scale: of the intercept's sum.
template <int kRuns>
__device__ __forceinline__ RowPair finish_rows(LossKind loss, RowPair score, RowPair signed_weight,
                                               const TileSlice& slice, double fixed_scale,
                                               RunTotals<kRuns>& sums) {
  const InSlice in_batch(slice);
  const RowPair residual = {
      finish_row(loss, score.low, signed_weight.low, in_batch.low, sums.totals),
      finish_row(loss, score.high, signed_weight.high, in_batch.high, sums.totals)};
  add_over_rows(residual, fixed_scale, sums.intercept[0]);
  return residual;
}

/// The end of every score: scale * total + intercept.
struct ScoreEnd {
  float scale;
  float intercept;

  __device__ __forceinline__ explicit ScoreEnd(const ScoringScalars* scalars)
      : scale(scalars->scale), intercept(scalars->intercept) {}
  __device__ __forceinline__ RowPair operator()(RowPair total) const {
    return {ScalarOps::fma(scale, total.low, intercept),
            ScalarOps::fma(scale, total.high, intercept)};
  }
};

/// scores: null, or [64] of this slice.
__device__ __forceinline__ void keep_scores(RowPair score, float* scores) {
  if (scores == nullptr) return;
  scores[lane_of_thread()] = score.low;
  scores[lane_of_thread() + 32] = score.high;
}

/// Where the slices of a pass are, once its step is known.
struct Slices {
  const TileSlice* first;
  std::int64_t count;
};

__device__ __forceinline__ Slices slices_of(const SliceList& list) {
  if (list.run == nullptr) return {list.slices, list.count};
  const std::int64_t step = list.step();
  return {list.slices + step * list.stride, list.counts[step]};
}

}  // namespace ossau::device
