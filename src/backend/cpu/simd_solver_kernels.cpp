#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "arith/bits.hpp"
#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"
#include "backend/backend.hpp"
#include "backend/cpu/kernels.hpp"
#include "backend/cpu/simd_targets.hpp"
#include "core/aligned.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd_solver_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Apart from simd_kernels.cpp: what a compiler unfolds depends on how much there is in a file.

HWY_BEFORE_NAMESPACE();
namespace ossau::HWY_NAMESPACE {

#if (HWY_TARGET & OSSAU_FUSED_TARGETS) != 0

#include "backend/cpu/simd_ops.hpp"
// Builds on the operations.
#include "backend/cpu/tile_kernels.hpp"
// Builds on both.
#include "backend/cpu/solver_kernels.hpp"

GramKernels gram_kernels(LossKind loss);  // of simd_gram_kernels.cpp

SolverKernels solver_kernels(LossKind loss);
SolverKernels solver_kernels(LossKind loss) {
  return solver_kernels_of<SimdOps>(loss, gram_kernels(loss));
}

#endif

}  // namespace ossau::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
