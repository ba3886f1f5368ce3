#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/batch_order.hpp"
#include "data/tiles.hpp"
#include "ossau/config.hpp"

// For the small parts of a kernel: a call would cost more than they do, and gcc leaves out calls of
// functions that only prefetch.
#define OSSAU_INLINE inline __attribute__((always_inline))

namespace ossau {

/// What rows are scored with: score = scale * chain(values) + intercept.
struct ScoringWeights {
  const float* values = nullptr;  // [d]
  float scale = 1;                // 1 except under UpdateRule::kScaled
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

/// The passes over tiles, compiled for one instruction set.  All give the same bits.
struct CpuKernels {
  Simd simd;
  const char* name;

  /// Adds the sums of slices `part` of `slices` to those of a thread.  The slices after the part
  /// are those that memory may fetch ahead.
  /// scores: null, or [slices, 64], where the scores of the part go.
  void (*gradient)(const TileSet& tiles, std::span<const TileSlice> slices, Range part,
                   const ScoringWeights& weights, double fixed_scale, ThreadSums& sums,
                   float* scores);

  /// sigmoid and softplus of `count` numbers, a multiple of 64, all arrays aligned; for tests.
  void (*logistic_values)(const float* m, std::size_t count, float* sigmoid, float* softplus);
};

/// The kernels that this processor can run, the fastest first, the scalar ones last.
std::vector<CpuKernels> available_kernels();

/// The kernels for `run.simd`.  Throws DeviceError where this processor lacks the instructions.
CpuKernels choose_kernels(Simd simd);

}  // namespace ossau
