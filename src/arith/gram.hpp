#pragma once

#include <cmath>
#include <cstdint>

#include "arith/bits.hpp"
#include "arith/contract.hpp"

// The Gram matrix X'(cD)X in whole numbers.  Each row is multiplied by the root of its curvature
// and rounded to 13 bits behind the point: whole numbers have the same sum in any order, on any
// processor.  |x| <= 1 as stored and c D <= 1/4, so |q| <= 2^12, and 64 rows' products are at most
// 2^30.

namespace ossau {

/// Bits behind the point of a row's entries.
inline constexpr int kGramBits = 13;

/// Where row i of an upper triangle of n columns begins, at its diagonal; with i = n its size.
template <class Index>
OSSAU_HOST_DEVICE constexpr Index triangle_row(Index n, Index i) {
  return i * (2 * n + 1 - i) / 2;
}

/// The root of a row's curvature c D, at most 1/2.
OSSAU_HOST_DEVICE inline float gram_root(float curvature) {
#if defined(__CUDA_ARCH__)
  return __fsqrt_rn(curvature);
#else
  return std::sqrt(curvature);
#endif
}

/// A row's entry: x times the root, rounded to nearest, ties to even.
OSSAU_HOST_DEVICE inline std::int32_t gram_entry(float root, float x) {
  const float scaled = root * x * static_cast<float>(1 << kGramBits);  // exact behind root * x
  const float magic = 12582912.0f;  // 1.5 * 2^23: the integer is left in the low bits
  return bit_copy<std::int32_t>(scaled + magic) - bit_copy<std::int32_t>(magic);
}

}  // namespace ossau
