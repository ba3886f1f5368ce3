#pragma once

#include "warp.cuh"

// What a pass makes of the rows of a tile once they are scored: the coefficients of the sums that
// it adds up, a run of d features and the intercept for each (docs/arithmetic.md).

namespace ossau::device {

/// One tile as a stage sees it.
struct ScoredTile {
  RowPair score;
  RowPair target;  // signed weights
  const TileSlice& slice;
  std::int64_t number;  // of the slice in the pass
};

/// Residuals: the gradient.
struct GradientStage {
  static constexpr int kRuns = 1;

  static __device__ __forceinline__ void run(const GradientPass& pass, const ScoredTile& tile,
                                             RowPair (&rows)[kRuns], RunTotals<kRuns>& totals) {
    rows[0] = finish_rows(pass.loss, tile.score, tile.target, tile.slice, pass.fixed_scale, totals);
  }
};

/// Residuals, and cD once or twice: further sums of the same read.
template <int kAllRuns>
struct FusedStage {
  static constexpr int kRuns = kAllRuns;
  static_assert(kRuns > 1);

  static __device__ __forceinline__ void run(const GradientPass& pass, const ScoredTile& tile,
                                             RowPair (&rows)[kRuns], RunTotals<kRuns>& totals) {
    rows[0] = finish_rows(pass.loss, tile.score, tile.target, tile.slice, pass.fixed_scale, totals);
    const InSlice in_batch(tile.slice);
    const RowPair curved = {curvature(pass.loss, tile.score.low, tile.target.low, in_batch.low),
                            curvature(pass.loss, tile.score.high, tile.target.high, in_batch.high)};
#pragma unroll
    for (int i = 1; i < kRuns; ++i) {
      rows[i] = curved;
      add_over_rows(curved, pass.fixed_scale, totals.intercept[i]);
    }
  }

 private:
  static __device__ __forceinline__ float curvature(LossKind loss, float score, float signed_weight,
                                                    bool in_batch) {
    if (!in_batch) return 0.0f;
    const RowTarget<ScalarOps> target = {signed_weight};
    const float finite = is_finite(score) ? score : 0.0f;
    return curvature_of(loss, finite, target) * target.weight();
  }
};

/// The score of a direction, times cD at scores that were kept: the Hessian times the direction.
struct HessianStage {
  static constexpr int kRuns = 1;

  static __device__ __forceinline__ void run(const GradientPass& pass, const ScoredTile& tile,
                                             RowPair (&rows)[kRuns], RunTotals<kRuns>& totals) {
    const RowPair at = row_pair(pass.solver.at + tile.number * kTileRows);
    const InSlice in_batch(tile.slice);
    const float factor = pass.solver.factor;
    rows[0] = {product(pass.loss, tile.score.low * factor, at.low, tile.target.low, in_batch.low,
                       totals.totals),
               product(pass.loss, tile.score.high * factor, at.high, tile.target.high,
                       in_batch.high, totals.totals)};
    add_over_rows(rows[0], pass.fixed_scale, totals.intercept[0]);
  }

 private:
  static __device__ __forceinline__ float product(LossKind loss, float q, float at,
                                                  float signed_weight, bool in_batch,
                                                  StepTotals& totals) {
    if (!in_batch) return 0.0f;
    const RowTarget<ScalarOps> target = {signed_weight};
    const float z = finite_or_zero(at, totals);
    // c first: small weights times large scores must not lose their bound.
    const float weighted = target.weight() * finite_or_zero(q, totals);
    return weighted * curvature_of(loss, z, target);
  }
};

}  // namespace ossau::device
