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

/// The passes over tiles, compiled for one instruction set.  All give the same bits.
struct CpuKernels {
  Simd simd;
  const char* name;

  /// Adds the sums (SumLayout) of `slices` to `sums`, which has room for kSumPadding more; those
  /// may be written to, but only with what they hold.
  void (*gradient)(const TileSet& tiles, std::span<const TileSlice> slices,
                   const ScoringWeights& weights, double fixed_scale, std::int64_t* sums);

  /// Scores of the tiles at `places` (0 is the first that is here), [places, 64].
  void (*scores)(const TileSet& tiles, Range places, const ScoringWeights& weights, float* scores);

  /// sigmoid and softplus of `count` numbers, a multiple of 64, all arrays aligned; for tests.
  void (*logistic_values)(const float* m, std::size_t count, float* sigmoid, float* softplus);
};

/// The kernels that this processor can run, the fastest first, the scalar ones last.
std::vector<CpuKernels> available_kernels();

/// The kernels for `run.simd`.  Throws DeviceError where this processor lacks the instructions.
CpuKernels choose_kernels(Simd simd);

}  // namespace ossau
