#pragma once

#include <vector>

#include "backend/cpu/kernels.hpp"

namespace ossau {

/// The kernels for each SIMD instruction set that was compiled and that this processor has, the
/// widest first.
std::vector<CpuKernels> simd_kernels(LossKind loss);

}  // namespace ossau
