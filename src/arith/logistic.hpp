#pragma once

#include <cmath>
#include <cstdint>

#include "arith/bits.hpp"
#include "arith/contract.hpp"

namespace ossau {

/// The operations of logistic_formula.hpp on one float.
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

#include "arith/logistic_formula.hpp"

/// Loss and residual of one row.
struct RowLoss {
  float residual;  // d loss / d score, times the row's weight
  float loss;      // times the row's weight
};

/// score: finite.  signed_weight: -c for a positive row, +c for a negative one, 0 <= c <= 1.
/// With m = -score for a positive row and score for a negative one, residual = +-c sigmoid(m) and
/// loss = c softplus(m).  Never p - y, which cancels.
OSSAU_HOST_DEVICE inline RowLoss row_loss(float score, float signed_weight) {
  const std::uint32_t sign = bit_copy<std::uint32_t>(signed_weight) & 0x80000000u;
  const auto m = bit_copy<float>(bit_copy<std::uint32_t>(score) ^ sign);
  const auto value = logistic<ScalarOps>(m);
  return {value.sigmoid * signed_weight, value.softplus * ScalarOps::abs(signed_weight)};
}

}  // namespace ossau
