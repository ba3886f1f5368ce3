#pragma once

#include <memory>

#include "backend/backend.hpp"
#include "backend/cuda/module_table.hpp"

namespace ossau::cuda {

/// The backend for one GPU.  Throws DeviceError where the device is missing, too small or fails the
/// arithmetic self-test.
std::unique_ptr<Backend> make_cuda_backend(const CudaBackendOptions& options, BackendRows rows,
                                           const ModelSetup& setup);

}  // namespace ossau::cuda
