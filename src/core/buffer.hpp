#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ossau {

/// Where a buffer's memory is.
enum class MemorySpace { kHost, kCuda };

/// All that backends and communicators share: integers to be all-reduced, not owned.
struct SumBuffer {
  std::int64_t* data = nullptr;
  std::size_t size = 0;
  MemorySpace space = MemorySpace::kHost;
  // kCuda: the CUDA stream on which the work that fills the buffer is queued.
  void* stream = nullptr;

  std::span<std::int64_t> host() const { return {data, size}; }
};

}  // namespace ossau
