#include "arith/self_test.hpp"

#include <cmath>
#include <cstdint>

#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"
#include "arith/update.hpp"

namespace ossau {
namespace {

// Through volatile, so that the processor computes and not the compiler.
template <class T>
T opaque(T x) {
  volatile T hidden = x;
  return hidden;
}

bool fma_fuses() {
  const float a = opaque(1.0f + 0x1p-12f);
  return ScalarOps::fma(a, a, opaque(-1.0f)) == 0x1p-11f + 0x1p-24f;
}

bool products_do_not_fuse() {
  const float a = opaque(1.0f + 0x1p-12f);
  return a * a + opaque(-1.0f) == 0x1p-11f;
}

// By bits: where subnormals read as zero, they also compare equal to zero.
bool subnormals_survive() {
  return bit_copy<std::uint32_t>(opaque(0x1p-126f) * opaque(0.5f)) == 0x00400000u &&
         bit_copy<std::uint32_t>(opaque(0x1p-140f) * 1024.0f) == 0x00080000u &&
         bit_copy<std::uint64_t>(opaque(0x1p-1022) * opaque(0.5)) == UINT64_C(1) << 51;
}

bool rounds_to_nearest_even() {
  return opaque(1.0f) + opaque(0x1p-24f) == 1.0f &&
         opaque(1.0f + 0x1p-23f) + opaque(0x1p-24f) == 1.0f + 0x1p-22f &&
         opaque(-1.0) - opaque(0x1p-53) == -1.0 &&
         static_cast<float>(opaque(1.0 + 0x1p-24)) == 1.0f;
}

bool converts_to_fixed_point() {
  return to_fixed(opaque(0.5f), 1.0) == 0 && to_fixed(opaque(1.5f), 1.0) == 2 &&
         to_fixed(opaque(-2.5f), 1.0) == -2 &&
         to_fixed(opaque(-63.5f), 0x1p44) == -127 * (INT64_C(1) << 43);
}

bool divides_and_takes_roots() {
  return opaque(1.0f) / opaque(3.0f) == 0x1.555556p-2f &&
         opaque(1.0) / opaque(3.0) == 0x1.5555555555555p-2 &&
         next_nesterov_t(opaque(1.0)) == 0x1.9e3779b97f4a8p+0;
}

bool logistic_is_known() {
  const RowLoss<float> loss = LogisticLoss<ScalarOps>::at(opaque(1.0f), {opaque(-1.0f)});
  return loss.residual == -0x1.136562p-2f && loss.loss == 0x1.40c7acp-2f;
}

}  // namespace

std::string arithmetic_self_test() {
  if (!fma_fuses()) return "fused multiply-add";
  if (!products_do_not_fuse()) return "separate multiply and add";
  if (!subnormals_survive()) return "subnormal numbers";
  if (!rounds_to_nearest_even()) return "rounding to nearest even";
  if (!converts_to_fixed_point()) return "conversion to fixed point";
  if (!divides_and_takes_roots()) return "division and square root";
  if (!logistic_is_known()) return "logistic function";
  return {};
}

}  // namespace ossau
