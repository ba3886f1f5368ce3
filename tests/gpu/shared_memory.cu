#include "launch.cuh"
#include "shared_memory.hpp"

namespace ossau::test {
namespace {

__global__ void shared_memory_kernel(SharedMemorySeen* seen) {
  std::uint32_t bytes = 0;
  asm("mov.u32 %0, %%dynamic_smem_size;" : "=r"(bytes));
  auto* words = reinterpret_cast<std::uint32_t*>(device::shared_memory());
  const std::uint32_t last = bytes / 4 - 1;
  if (threadIdx.x == 0) words[0] = 1;
  if (threadIdx.x == 1) words[last] = 2;
  __syncthreads();
  if (threadIdx.x != 2) return;
  seen->dynamic_bytes = bytes;
  seen->first_word = words[0];
  seen->last_word = words[last];
}

}  // namespace

SharedMemorySeen use_shared_memory(std::size_t bytes, cuda::StreamHandle stream) {
  SharedMemorySeen seen;
  cudaFuncAttributes attributes;
  if (cudaFuncGetAttributes(&attributes, shared_memory_kernel) == cudaSuccess) {
    seen.static_bytes = attributes.sharedSizeBytes;
  }
  const cuda::DeviceArray<SharedMemorySeen> on_device(1, "a test");
  device::load("shared memory", shared_memory_kernel);
  device::launch("shared memory", shared_memory_kernel, {1, 32, bytes}, stream, on_device.data());
  SharedMemorySeen copied;
  cuda::copy(&copied, on_device.data(), sizeof(copied), stream);
  cuda::synchronize(stream, "shared memory");
  copied.static_bytes = seen.static_bytes;
  return copied;
}

}  // namespace ossau::test
