#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cuda/runtime.hpp"

namespace ossau::test {

/// What a block saw that had so much dynamic shared memory.
struct SharedMemorySeen {
  std::size_t static_bytes = 0;  // that CUDA counts beside it
  std::uint32_t dynamic_bytes = 0;
  std::uint32_t first_word = 0;  // written by one thread and read by another: 1 and 2
  std::uint32_t last_word = 0;
};

/// Launches one block with `bytes`, a multiple of 4, on the current device.  Throws DeviceError.
SharedMemorySeen use_shared_memory(std::size_t bytes, cuda::StreamHandle stream);

}  // namespace ossau::test
