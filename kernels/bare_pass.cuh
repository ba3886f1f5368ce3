#pragma once

#include "warp.cuh"

// The floor of a pass: its loads, and for sparse rows its additions, without anything between.

namespace ossau::device {

inline constexpr int kBareThreads = 256;

/// values: [count], count a multiple of 4, on a multiple of 16 bytes.  sink: written only if the
/// numbers are such as no data has.
static __global__ void __launch_bounds__(kBareThreads)
    bare_read_kernel(const float* values, std::int64_t count, float* sink) {
  struct alignas(16) Four {
    std::uint32_t word[4];
  };
  const auto* from = reinterpret_cast<const Four*>(values);
  std::uint32_t mixed = 0;
#pragma unroll 8
  for (std::int64_t i = global_thread(); i < count / 4; i += global_threads()) {
    const Four four = from[i];
    mixed ^= four.word[0] ^ four.word[1] ^ four.word[2] ^ four.word[3];
  }
  if (mixed == 0x7fa5a5a5u) *sink = 1.0f;
}

/// Every slot of tiles [0, tiles), whether a row reaches it or not: absent entries have index 0.
static __global__ void __launch_bounds__(kBareThreads)
    bare_gather_scatter_kernel(const __grid_constant__ SparseRows rows, std::int64_t tiles,
                               const float* weights, std::int64_t* sums) {
  for (std::int64_t tile = global_warp(); tile < tiles; tile += global_warps()) {
    const std::int64_t end = rows.slice_start[tile + 1];
    for (std::int64_t slice = rows.slice_start[tile]; slice < end; ++slice) {
#pragma unroll
      for (unsigned half = 0; half < 2; ++half) {
        const unsigned row = lane_of_thread() + half * kWarp;
        if (slice - rows.slice_start[tile] >= rows.length[tile * kTileRows + row]) continue;
        std::uint32_t j = rows.index[slice * kTileRows + row];
        if ((j & kHotFeature) != 0) j = rows.hot[j - kHotFeature];
        const auto bits = static_cast<unsigned long long>(bit_copy<std::uint32_t>(weights[j]));
        atomicAdd(reinterpret_cast<unsigned long long*>(sums + j), bits);
      }
    }
  }
}

}  // namespace ossau::device
