#pragma once

#include <cstdint>
#include <cstring>

#include "arith/contract.hpp"

namespace ossau {

/// The bits of `from` as a `To` of the same size (std::bit_cast is no device function).
template <class To, class From>
OSSAU_HOST_DEVICE inline To bit_copy(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(To));
  return to;
}

/// 2^k exactly, for k in [-1022, 1023].
OSSAU_HOST_DEVICE inline double power_of_two(int k) {
  return bit_copy<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

/// Finite: neither infinite nor NaN.
OSSAU_HOST_DEVICE inline bool is_finite(float x) {
  return (bit_copy<std::uint32_t>(x) & 0x7f800000u) != 0x7f800000u;
}
OSSAU_HOST_DEVICE inline bool is_finite(double x) {
  return (bit_copy<std::uint64_t>(x) & 0x7ff0000000000000u) != 0x7ff0000000000000u;
}

/// A double as an integer of the same order: a < b exactly when order(a) < order(b); +0 and -0 are
/// neighbours.  So minima and maxima can be all-reduced as integers.
inline std::int64_t ordered_bits(double x) {
  const auto bits = bit_copy<std::int64_t>(x);
  return bits < 0 ? bits ^ INT64_MAX : bits;
}
inline double from_ordered_bits(std::int64_t ordered) {
  return bit_copy<double>(ordered < 0 ? ordered ^ INT64_MAX : ordered);
}

}  // namespace ossau
