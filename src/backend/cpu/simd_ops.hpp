// The operations of tile_kernels.hpp on a register of rows, by Highway; included inside a namespace
// once for every instruction set, without include guard.

#include "arith/loss_formulas.hpp"

namespace hn = hwy::HWY_NAMESPACE;

struct SimdOps {
  using Tag = hn::ScalableTag<float>;
  using IntTag = hn::RebindToSigned<Tag>;
  using HalfTag = hn::Half<Tag>;
  using DoubleTag = hn::Repartition<double, Tag>;
  using LongTag = hn::RebindToSigned<DoubleTag>;
  using Float = hn::Vec<Tag>;
  using Mask = hn::Mask<Tag>;
  struct Scale {
    Float first;
    Float second;
  };
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag());

  /// A sum of fixed-point numbers, lane by lane.
  class FixedSum {
   public:
    FixedSum() : low_(hn::Zero(LongTag())), high_(hn::Zero(LongTag())) {}
    void add(Float x, double scale) {
      low_ = hn::Add(low_, fixed(hn::LowerHalf(HalfTag(), x), scale));
      high_ = hn::Add(high_, fixed(hn::UpperHalf(HalfTag(), x), scale));
    }
    std::int64_t total() const {
      const LongTag d;
      return hn::GetLane(hn::SumOfLanes(d, hn::Add(low_, high_)));
    }

   private:
    hn::Vec<LongTag> low_;
    hn::Vec<LongTag> high_;
  };

  static Float set(float x) { return hn::Set(Tag(), x); }
  static Float add(Float a, Float b) { return hn::Add(a, b); }
  static Float subtract(Float a, Float b) { return hn::Sub(a, b); }
  static Float multiply(Float a, Float b) { return hn::Mul(a, b); }
  static Float divide(Float a, Float b) { return hn::Div(a, b); }
  static Float fma(Float a, Float b, Float c) { return hn::MulAdd(a, b, c); }
  static Float negative_fma(Float a, Float b, Float c) { return hn::NegMulAdd(a, b, c); }
  static Float abs(Float x) { return hn::Abs(x); }
  static Float negate(Float x) { return hn::Neg(x); }
  static Float min(Float a, Float b) { return hn::Min(a, b); }
  static Float max(Float a, Float b) { return hn::Max(a, b); }
  static Mask greater_equal(Float a, Float b) { return hn::Ge(a, b); }
  static Float select(Mask mask, Float yes, Float no) { return hn::IfThenElse(mask, yes, no); }
  static Scale power_of_two_halves(Float k) {
    const auto magic = hn::Set(Tag(), 12582912.0f);  // 1.5 * 2^23: k is left in the low bits
    const auto whole =
        hn::Sub(hn::BitCast(IntTag(), hn::Add(k, magic)), hn::BitCast(IntTag(), magic));
    const auto first = hn::ShiftRight<1>(whole);
    return {power_of_two_float(first), power_of_two_float(hn::Sub(whole, first))};
  }

  static Float load(const float* from) { return hn::Load(Tag(), from); }
  static void store(Float x, float* to) { hn::Store(x, Tag(), to); }
  static Float gather(const float* values, const std::uint32_t* index) {
    return hn::GatherIndex(Tag(), values, load_integers(index));
  }
  static Mask longer_than(const std::uint32_t* length, std::size_t k) {
    return hn::RebindMask(
        Tag(), hn::Gt(load_integers(length), hn::Set(IntTag(), static_cast<std::int32_t>(k))));
  }
  static Mask row_mask(std::size_t row, std::int32_t begin, std::int32_t end) {
    const auto rows = hn::Iota(Tag(), static_cast<float>(row));
    return hn::And(hn::Ge(rows, set(static_cast<float>(begin))),
                   hn::Lt(rows, set(static_cast<float>(end))));
  }
  static Mask is_finite(Float x) { return hn::IsFinite(x); }
  static std::size_t count(Mask mask) { return hn::CountTrue(Tag(), mask); }
  static Float flip_sign(Float x, Float sign) {
    return hn::Xor(x, hn::And(sign, hn::SignBit(Tag())));
  }
  static Float floor(Float x) { return hn::Floor(x); }
  static float reduce(Float x) { return reduce_halves(Tag(), x); }
  // Lanes l and l + stride of each added; the sums of a and of b side by side.
  template <std::size_t kStride>
  static Float fold(Float a, Float b) {
    const Tag d;
    if constexpr (kStride == 1) {
      return hn::Add(hn::OddEven(b, a), hn::Reverse2(d, hn::OddEven(a, b)));
    } else if constexpr (kStride == 2) {
      const DoubleTag pairs;
      const auto x = hn::BitCast(pairs, a);
      const auto y = hn::BitCast(pairs, b);
      return hn::Add(hn::BitCast(Tag(), hn::InterleaveLower(pairs, x, y)),
                     hn::BitCast(Tag(), hn::InterleaveUpper(pairs, x, y)));
    } else if constexpr (2 * kStride == kLanes) {
      return hn::Add(hn::ConcatLowerLower(d, b, a), hn::ConcatUpperUpper(d, b, a));
    } else {
      static_assert(kStride == 4);
      return hn::Add(hn::OddEvenBlocks(b, a), hn::SwapAdjacentBlocks(hn::OddEvenBlocks(a, b)));
    }
  }
  static void store_fixed(std::int64_t* to, Float x, double scale) {
    hn::StoreU(fixed(hn::LowerHalf(HalfTag(), x), scale), LongTag(), to);
    hn::StoreU(fixed(hn::UpperHalf(HalfTag(), x), scale), LongTag(), to + kLanes / 2);
  }
  static void add_fixed(std::int64_t* sums, Float x, double scale) {
    constexpr std::size_t kHalfLanes = kLanes / 2;
    add_half(sums, hn::LowerHalf(HalfTag(), x), scale);
    add_half(sums + kHalfLanes, hn::UpperHalf(HalfTag(), x), scale);
  }

 private:
  static hn::Vec<IntTag> load_integers(const std::uint32_t* from) {
    return hn::BitCast(IntTag(), hn::Load(hn::RebindToUnsigned<Tag>(), from));
  }
  static Float power_of_two_float(hn::Vec<IntTag> k) {
    return hn::BitCast(Tag(), hn::ShiftLeft<23>(hn::Add(k, hn::Set(IntTag(), 127))));
  }
  template <class D>
  static float reduce_halves(D d, hn::Vec<D> x) {
    if constexpr (hn::MaxLanes(d) == 1) {
      return hn::GetLane(x);
    } else {
      const hn::Half<D> half;
      return reduce_halves(half, hn::Add(hn::LowerHalf(half, x), hn::UpperHalf(half, x)));
    }
  }
  // See to_fixed().
  static hn::Vec<LongTag> fixed(hn::Vec<HalfTag> x, double scale) {
    const DoubleTag d;
    const auto magic = hn::Set(d, 6755399441055744.0);
    const auto shifted = hn::Add(hn::Mul(hn::PromoteTo(d, x), hn::Set(d, scale)), magic);
    return hn::Sub(hn::BitCast(LongTag(), shifted), hn::BitCast(LongTag(), magic));
  }
  static void add_half(std::int64_t* sums, hn::Vec<HalfTag> x, double scale) {
    const LongTag d;
    hn::StoreU(hn::Add(hn::LoadU(d, sums), fixed(x, scale)), d, sums);
  }
};
