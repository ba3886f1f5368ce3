#include "backend/cpu/scalar_kernels.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "backend/backend.hpp"
#include "backend/cpu/scalar_tile_ops.hpp"
#include "core/aligned.hpp"

namespace ossau {
namespace {

#include "backend/cpu/tile_kernels.hpp"

}  // namespace

CpuKernels scalar_kernels() {
  using Kernels = TileKernels<ScalarTileOps>;
  return {.simd = Simd::kScalar,
          .name = "scalar",
          .gradient = Kernels::gradient,
          .logistic_values = Kernels::logistic_values};
}

}  // namespace ossau
