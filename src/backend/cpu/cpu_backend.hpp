#pragma once

#include <cstdint>
#include <memory>

#include "backend/backend.hpp"
#include "backend/cpu/kernels.hpp"

namespace ossau {

/// The backend that every machine has.  Throws DeviceError when the processor fails the arithmetic
/// self-test.
std::unique_ptr<Backend> make_cpu_backend(CpuKernels kernels, std::int64_t threads,
                                          BackendRows rows, ModelSetup setup);

}  // namespace ossau
