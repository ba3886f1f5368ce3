#pragma once

#include <cstddef>
#include <string>

#include "device.cuh"

#if defined(__CUDACC__)

#include "ossau/error.hpp"

namespace ossau::device {

struct LaunchShape {
  unsigned blocks = 1;
  unsigned threads = 1;  // of a block
  std::size_t shared_bytes = 0;
  bool cooperative = false;  // all blocks are on the device at once and may wait for each other
};

/// Queues a kernel.  The arguments are of the parameters' types.  Throws DeviceError where CUDA
/// refuses it.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), LaunchShape shape,
            cuda::StreamHandle stream, Arguments... arguments) {
  constexpr std::size_t kWithoutAsking = 48 << 10;
  cudaError_t status = cudaSuccess;
  if (shape.shared_bytes > kWithoutAsking) {
    status = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(shape.shared_bytes));
  }
  if (status == cudaSuccess && shape.cooperative) {
    void* addresses[] = {&arguments...};
    status = cudaLaunchCooperativeKernel(kernel, shape.blocks, shape.threads, addresses,
                                         shape.shared_bytes, stream);
  } else if (status == cudaSuccess) {
    kernel<<<shape.blocks, shape.threads, shape.shared_bytes, stream>>>(arguments...);
    status = cudaGetLastError();
  }
  if (status == cudaSuccess) return;
  throw DeviceError(std::string("cuda: ") + name + ": " + cudaGetErrorString(status));
}

/// Brings a kernel to the current device before its first launch.
template <class... Parameters>
void load(const char* name, void (*kernel)(Parameters...)) {
  cudaFuncAttributes attributes;
  const cudaError_t status = cudaFuncGetAttributes(&attributes, kernel);
  if (status == cudaSuccess) return;
  throw DeviceError(std::string("cuda: ") + name + ": " + cudaGetErrorString(status));
}

}  // namespace ossau::device

#else

namespace ossau::device {

template <class Kernel>
void load(const char* /*name*/, Kernel /*kernel*/) {}

}  // namespace ossau::device

#endif
