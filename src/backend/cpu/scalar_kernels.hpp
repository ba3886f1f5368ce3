#pragma once

#include "backend/cpu/kernels.hpp"

namespace ossau {

/// One row at a time with std::fma: for any processor.
CpuKernels scalar_kernels(LossKind loss);

}  // namespace ossau
