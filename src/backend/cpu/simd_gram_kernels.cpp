#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "arith/gram.hpp"
#include "arith/loss.hpp"
#include "backend/cpu/kernels.hpp"
#include "backend/cpu/simd_targets.hpp"
#include "core/aligned.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/simd_gram_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Apart from the other solvers' kernels for the reason given there.

HWY_BEFORE_NAMESPACE();
namespace ossau::HWY_NAMESPACE {

#if (HWY_TARGET & OSSAU_FUSED_TARGETS) != 0

#include "backend/cpu/simd_ops.hpp"
// Builds on the operations.
#include "backend/cpu/gram_kernels.hpp"

struct SimdGramOps : SimdOps {
  using EntryTag = hn::Repartition<std::int16_t, Tag>;
  using Entries = hn::Vec<EntryTag>;
  // A lane adds up 64 / kLanes products of each tile, at most 2^24 each, in 31 bits.
  static constexpr std::size_t kMostGramTiles = 127 / (kTileRows / kLanes);

  class ProductSum {
   public:
    ProductSum() : first_(hn::Zero(IntTag())), second_(hn::Zero(IntTag())) {}
    OSSAU_INLINE void add(Entries a, Entries b) {
      first_ = hn::ReorderWidenMulAccumulate(IntTag(), a, b, first_, second_);
#if HWY_ARCH_X86
      // Here and now: gcc would make all products first, and has no registers for so many.
      asm("" : "+v"(first_.raw));
#endif
    }
    OSSAU_INLINE std::int64_t total() const {
      const LongTag d;
      const hn::Half<IntTag> half;
      const auto sum = hn::Add(first_, second_);
      return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::PromoteTo(d, hn::LowerHalf(half, sum)),
                                                   hn::PromoteTo(d, hn::UpperHalf(half, sum)))));
    }

   private:
    // Which products go where depends on the processor; on some the second one stays 0.
    hn::Vec<IntTag> first_;
    hn::Vec<IntTag> second_;
  };

  static Float sqrt(Float x) { return hn::Sqrt(x); }
  static Entries load_entries(const std::int16_t* from) { return hn::Load(EntryTag(), from); }
  // In the processor's own order.
  static void store_rounded(Float a, Float b, std::int16_t* to) {
    hn::Store(hn::ReorderDemote2To(EntryTag(), hn::NearestInt(a), hn::NearestInt(b)), EntryTag(),
              to);
  }
};

GramKernels gram_kernels(LossKind loss);
GramKernels gram_kernels(LossKind loss) { return GramTileKernels<SimdGramOps>::table(loss); }

#endif

}  // namespace ossau::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
