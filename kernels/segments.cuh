#pragma once

#include "warp.cuh"

// Rows that stay in the host's memory are fetched by a kernel: it reads pinned memory at the speed
// of the link, however many pieces they lie in.

namespace ossau::device {

inline constexpr int kCopyThreads = 256;

struct alignas(16) FourWords {
  std::uint32_t word[4];
};

__device__ __forceinline__ bool on_sixteen_bytes(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % sizeof(FourWords) == 0;
}

/// A block a segment.
static __global__ void __launch_bounds__(kCopyThreads)
    copy_segments_kernel(const cuda::Segment* segments, std::int64_t count) {
  for (std::int64_t s = blockIdx.x; s < count; s += gridDim.x) {
    const cuda::Segment segment = segments[s];
    std::int64_t done = 0;
    if (on_sixteen_bytes(segment.from) && on_sixteen_bytes(segment.to)) {
      const auto* from = reinterpret_cast<const FourWords*>(segment.from);
      auto* to = reinterpret_cast<FourWords*>(segment.to);
#pragma unroll 4
      for (std::int64_t i = threadIdx.x; i < segment.words / 4; i += blockDim.x) to[i] = from[i];
      done = segment.words / 4 * 4;
    }
    for (std::int64_t i = done + threadIdx.x; i < segment.words; i += blockDim.x) {
      segment.to[i] = segment.from[i];
    }
  }
}

/// Replaces each of `count` indices by its entry of `table`.
static __global__ void __launch_bounds__(kCopyThreads)
    map_indices_kernel(std::uint32_t* indices, std::int64_t count, const std::uint32_t* table) {
  for (std::int64_t i = global_thread(); i < count; i += global_threads()) {
    indices[i] = table[indices[i]];
  }
}

}  // namespace ossau::device
