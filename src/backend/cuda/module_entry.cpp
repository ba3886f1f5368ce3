#include <cuda_runtime_api.h>

#include <string>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/runtime.hpp"
#include "core/build_identity.hpp"

namespace ossau {
namespace {

int driver_version() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
}

constexpr cuda::ModuleTable kTable = {.why_no_device = cuda::why_no_device,
                                      .device_count = cuda::device_count,
                                      .usable_devices = cuda::usable_devices,
                                      .describe = cuda::use_device,
                                      .runtime_version = CUDART_VERSION,
                                      .driver_version = driver_version,
                                      .make_backend = cuda::make_cuda_backend};

}  // namespace
}  // namespace ossau

extern "C" __attribute__((visibility("default"))) const ossau::cuda::ModuleTable*
ossau_cuda_backend() {
  return &ossau::kTable;
}

OSSAU_EXPORT_IDENTITY(ossau::kBuildIdentity);
