#pragma once

#include <cmath>
#include <cstdint>

#include "arith/bits.hpp"
#include "arith/contract.hpp"
#include "arith/elementary.hpp"

// The losses for one row at a time, and what tells them apart; lanes of rows include the same
// formulae (loss_formulas.hpp).

namespace ossau {

/// What a row costs; with_loss() is the list of their formulae.
enum class LossKind { kLogistic };

/// The operations of loss_formulas.hpp on one float.
struct ScalarOps {
  using Float = float;
  using Mask = bool;
  struct Scale {
    float first;
    float second;
  };

  static OSSAU_HOST_DEVICE float set(float x) { return x; }
  static OSSAU_HOST_DEVICE float add(float a, float b) { return a + b; }
  static OSSAU_HOST_DEVICE float subtract(float a, float b) { return a - b; }
  static OSSAU_HOST_DEVICE float multiply(float a, float b) { return a * b; }
  static OSSAU_HOST_DEVICE float divide(float a, float b) { return a / b; }
  static OSSAU_HOST_DEVICE float fma(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
    return __fmaf_rn(a, b, c);
#else
    return std::fma(a, b, c);
#endif
  }
  static OSSAU_HOST_DEVICE float negative_fma(float a, float b, float c) { return fma(-a, b, c); }
  static OSSAU_HOST_DEVICE float abs(float x) {
    return bit_copy<float>(bit_copy<std::uint32_t>(x) & 0x7fffffffu);
  }
  static OSSAU_HOST_DEVICE float negate(float x) {
    return bit_copy<float>(bit_copy<std::uint32_t>(x) ^ 0x80000000u);
  }
  static OSSAU_HOST_DEVICE float min(float a, float b) { return a < b ? a : b; }
  static OSSAU_HOST_DEVICE float max(float a, float b) { return a > b ? a : b; }
  static OSSAU_HOST_DEVICE bool greater_equal(float a, float b) { return a >= b; }
  static OSSAU_HOST_DEVICE float select(bool mask, float yes, float no) { return mask ? yes : no; }
  static OSSAU_HOST_DEVICE float flip_sign(float x, float sign) {
    return bit_copy<float>(bit_copy<std::uint32_t>(x) ^
                           (bit_copy<std::uint32_t>(sign) & 0x80000000u));
  }
  /// 2^k as a product of two normal floats; k is an integer in [-150, 0].
  static OSSAU_HOST_DEVICE Scale power_of_two_halves(float k) {
    const auto whole = static_cast<std::int32_t>(k);
    const std::int32_t first = whole >> 1;
    return {power_of_two_float(first), power_of_two_float(whole - first)};
  }

 private:
  static OSSAU_HOST_DEVICE float power_of_two_float(std::int32_t k) {
    return bit_copy<float>(static_cast<std::uint32_t>(k + 127) << 23);
  }
};

#include "arith/loss_formulas.hpp"

/// What must be known of a loss without its formulae.
struct LossTraits {
  double largest_curvature;
  double (*decision_cut)(double threshold);
  double (*constant_score)(double share);
  double (*constant_loss)(double share, double fit);
};
inline LossTraits traits_of(LossKind kind) {
  return with_loss<ScalarOps>(kind, [](auto of_row) {
    using Loss = decltype(of_row);
    return LossTraits{Loss::kLargestCurvature, Loss::decision_cut, Loss::constant_score,
                      Loss::constant_loss};
  });
}

/// What a tile keeps of a row's label and weight: the weight, with a minus sign for a positive row.
OSSAU_HOST_DEVICE inline float signed_weight(bool positive, float weight) {
  return positive ? -weight : weight;
}
OSSAU_HOST_DEVICE inline bool is_positive(float signed_weight) {
  return (bit_copy<std::uint32_t>(signed_weight) & 0x80000000u) != 0;
}

}  // namespace ossau
