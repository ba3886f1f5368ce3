#pragma once

#include <cstddef>
#include <string>

#include "device.cuh"

#if defined(__CUDACC__)

#include "core/device.hpp"
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
  cudaError_t status = cudaSuccess;
  if (shape.cooperative) {
    void* addresses[] = {&arguments...};
    status = cudaLaunchCooperativeKernel(kernel, shape.blocks, shape.threads, addresses,
                                         shape.shared_bytes, stream);
  } else {
    kernel<<<shape.blocks, shape.threads, shape.shared_bytes, stream>>>(arguments...);
    status = cudaPeekAtLastError();
  }
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // or the next launch would be blamed
  throw DeviceError(std::string("cuda: ") + name + ": " + cudaGetErrorString(status) + " (" +
                    std::to_string(shape.blocks) + " blocks of " + std::to_string(shape.threads) +
                    " threads, " + std::to_string(shape.shared_bytes) + " bytes of shared memory)");
}

/// Brings a kernel to the current device before its first launch, and lets it have all the shared
/// memory there is: a setting of the kernel, not of a launch, and several ranks may share a device.
template <class... Parameters>
void load(const char* name, void (*kernel)(Parameters...)) {
  cudaFuncAttributes attributes;
  int device = 0;
  int shared_bytes = 0;
  cudaError_t status = cudaFuncGetAttributes(&attributes, kernel);
  if (status == cudaSuccess) status = cudaGetDevice(&device);
  if (status == cudaSuccess) {
    status = cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  }
  if (status == cudaSuccess) {
    status = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  shared_bytes - static_cast<int>(attributes.sharedSizeBytes));
  }
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();
  throw DeviceError(std::string("cuda: ") + name + ": " + cudaGetErrorString(status));
}

}  // namespace ossau::device

#else

namespace ossau::device {

template <class Kernel>
void load(const char* /*name*/, Kernel /*kernel*/) {}

}  // namespace ossau::device

#endif
