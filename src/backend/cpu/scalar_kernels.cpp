#include "backend/cpu/scalar_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "arith/bits.hpp"
#include "arith/gram.hpp"
#include "backend/backend.hpp"
#include "backend/cpu/scalar_tile_ops.hpp"
#include "core/aligned.hpp"

namespace ossau {
namespace {

#include "backend/cpu/tile_kernels.hpp"
// Builds on the other one.
#include "backend/cpu/gram_kernels.hpp"
#include "backend/cpu/solver_kernels.hpp"

// Two rows at a time, as registers of entries have twice as many as registers of floats.
struct ScalarGramOps : ScalarTileOps {
  struct Entries {
    std::int32_t first;
    std::int32_t second;
  };
  static constexpr std::size_t kMostGramTiles = kGramTiles;  // sums have 64 bits

  class ProductSum {
   public:
    void add(Entries a, Entries b) { sum_ += a.first * b.first + a.second * b.second; }
    std::int64_t total() const { return sum_; }

   private:
    std::int64_t sum_ = 0;
  };

  static float sqrt(float x) { return std::sqrt(x); }
  static Entries load_entries(const std::int16_t* from) { return {from[0], from[1]}; }
  static void store_rounded(float a, float b, std::int16_t* to) {
    to[0] = static_cast<std::int16_t>(std::nearbyint(a));
    to[1] = static_cast<std::int16_t>(std::nearbyint(b));
  }
};

}  // namespace

CpuKernels scalar_kernels(LossKind loss) {
  return kernels_of<ScalarTileOps>(
      Simd::kScalar, "scalar", loss,
      solver_kernels_of<ScalarTileOps>(loss, GramTileKernels<ScalarGramOps>::table(loss)));
}

}  // namespace ossau
