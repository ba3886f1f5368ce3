#include "backend/cpu/simd_kernels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"
#include "backend/backend.hpp"
#include "backend/cpu/simd_targets.hpp"
#include "core/aligned.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace ossau::HWY_NAMESPACE {

#if (HWY_TARGET & OSSAU_FUSED_TARGETS) != 0

#include "backend/cpu/simd_ops.hpp"
// Builds on the operations.
#include "backend/cpu/tile_kernels.hpp"

SolverKernels solver_kernels(LossKind loss);  // of simd_solver_kernels.cpp

CpuKernels kernels(Simd simd, const char* name, LossKind loss) {
  return kernels_of<SimdOps>(simd, name, loss, solver_kernels(loss));
}

#endif

}  // namespace ossau::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ossau {

std::vector<CpuKernels> simd_kernels(LossKind loss) {
  std::vector<CpuKernels> found;
  [[maybe_unused]] const std::int64_t here = hwy::SupportedTargets();
#if (HWY_TARGETS & HWY_AVX3) != 0
  if ((here & HWY_AVX3) != 0) found.push_back(N_AVX3::kernels(Simd::kAvx512, "avx512", loss));
#endif
#if (HWY_TARGETS & HWY_AVX2) != 0
  if ((here & HWY_AVX2) != 0) found.push_back(N_AVX2::kernels(Simd::kAvx2, "avx2", loss));
#endif
#if (HWY_TARGETS & HWY_NEON) != 0
  if ((here & HWY_NEON) != 0) found.push_back(N_NEON::kernels(Simd::kNeon, "neon", loss));
#endif
  return found;
}

}  // namespace ossau
#endif
