#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arith/loss.hpp"
#include "backend/solver_passes.hpp"
#include "data/batch_order.hpp"
#include "data/tiles.hpp"
#include "ossau/config.hpp"

// For the small parts of a kernel: a call would cost more than they do, and gcc leaves out calls of
// functions that only prefetch.
#define OSSAU_INLINE inline __attribute__((always_inline))
#define OSSAU_INLINE_LAMBDA __attribute__((always_inline))

namespace ossau {

/// What rows are scored with: score = scale * chain(values) + intercept.
struct ScoringWeights {
  const float* values = nullptr;  // [d]
  float scale = 1;                // 1 but where the rule keeps w = a v
  float intercept = 0;
};

/// The widest SIMD register, in floats: a last group of features may have lanes to spare.
inline constexpr std::size_t kSumPadding = 16;

/// Where a pass adds, in one thread.
struct ThreadSums {
  std::int64_t* sums = nullptr;  // SumLayout, and kSumPadding that may be written to, with 0
  // null, or room for as many features as the pass has entries: those whose sum left 0, in the
  // order of the rows, some of them twice
  std::uint32_t* touched = nullptr;
  std::size_t touched_count = 0;
};

/// All tiles that are here, and those that a thread takes.
struct TilePart {
  const TileSet& tiles;
  std::span<const TileSlice> slices;
  Range range;
};

/// Kept scores, [tiles, 64] each.
struct LineScores {
  const float* from = nullptr;
  const float* along = nullptr;
};

// What follows is of the Gram matrix (gram_kernels.hpp): blocks of rows become panels of whole
// numbers, [columns, kGramRows], and blocks of columns share the products.

/// Tiles of a panel at most: 32 bits hold what each of four lanes adds up of so many.
inline constexpr std::size_t kGramTiles = 7;
inline constexpr std::size_t kGramRows = kGramTiles * static_cast<std::size_t>(kTileRows);

/// Columns of a block: those of two, a few rows at a time, stay in the first cache.
inline constexpr std::size_t kGramBlockColumns = 24;

struct GramColumns {
  std::size_t begin = 0;
  std::size_t end = 0;
};
inline std::size_t gram_blocks(std::size_t columns) {
  return (columns + kGramBlockColumns - 1) / kGramBlockColumns;
}
inline GramColumns gram_block_columns(std::size_t block, std::size_t columns) {
  return {block * kGramBlockColumns, std::min((block + 1) * kGramBlockColumns, columns)};
}

/// A pair of blocks of columns, i <= j.
struct GramBlock {
  std::size_t i = 0;
  std::size_t j = 0;
};

/// Rows that become a panel.
struct GramRows {
  std::size_t first = 0;         // tile, by its place
  std::size_t tiles = 0;         // at most kGramTiles
  const float* roots = nullptr;  // [tiles, 64]
};

struct GramKernels {
  /// gram_root() of `count` rows, a multiple of 64, all arrays aligned; scores that are not finite
  /// are taken as 0.
  void (*roots)(const float* signed_weight, const float* at, std::size_t count,
                float* roots) = nullptr;
  /// gram_entry() of some columns, d being the intercept, to their places in a panel.
  void (*pack)(const DenseTiles& tiles, std::size_t features, const GramRows& rows,
               GramColumns columns, std::int16_t* panel) = nullptr;
  /// Adds the products of a block's columns, in a panel of so many tiles and of whole blocks, to
  /// `gram`, GramLayout.
  void (*add)(const std::int16_t* panel, std::size_t tiles, std::size_t columns, GramBlock block,
              std::int64_t* gram) = nullptr;
};

/// What SolverPasses needs of one instruction set.  A part's sums are added to those of a thread:
/// for dense rows [runs, d + 1], for sparse ones [d + 1, runs], then the totals.
struct SolverKernels {
  /// With one further run at least: a gradient has a kernel.  to: [tiles, 64].
  void (*fused)(const TilePart& part, const FusedPass& pass, ThreadSums& sums, float* to) = nullptr;
  /// at, to: [tiles, 64].
  void (*hessian_times)(const TilePart& part, const HessianPass& pass, ThreadSums& sums,
                        const float* at, float* to) = nullptr;
  /// sums: [steps, LineSumLayout::kNumbers].
  void (*line)(const TilePart& part, const LinePass& pass, const LineScores& scores,
               std::int64_t* sums) = nullptr;
  /// y <- a x + y, aligned; count: a multiple of 64.
  void (*add_scaled)(float a, const float* x, float* y, std::size_t count) = nullptr;
  GramKernels gram = {};
};

/// The passes over tiles for one loss, compiled for one instruction set.  All give the same bits.
struct CpuKernels {
  Simd simd;
  const char* name;
  LossKind loss;

  /// Adds the sums of slices `part` of `slices` to those of a thread.  The slices after the part
  /// are those that memory may fetch ahead.
  /// scores: null, or [slices, 64], where the scores of the part go.
  void (*gradient)(const TileSet& tiles, std::span<const TileSlice> slices, Range part,
                   const ScoringWeights& weights, double fixed_scale, ThreadSums& sums,
                   float* scores);

  /// sigmoid, softplus and curvature of `count` numbers, a multiple of 64, all arrays aligned; for
  /// tests.
  void (*logistic_values)(const float* m, std::size_t count, float* sigmoid, float* softplus,
                          float* curvature);

  SolverKernels solver = {};
};

/// The kernels that this processor can run, the fastest first, the scalar ones last.
std::vector<CpuKernels> available_kernels(LossKind loss = LossKind::kLogistic);

/// The kernels for `run.simd`.  Throws DeviceError where this processor lacks the instructions.
CpuKernels choose_kernels(Simd simd, LossKind loss = LossKind::kLogistic);

}  // namespace ossau
