#pragma once

#include <bit>
#include <cstdint>

#include "arith/bits.hpp"
#include "arith/contract.hpp"

// Sums over rows as 64-bit integers, which may be added in any order.

namespace ossau {

/// The fixed-point scale is 2^k with this k, for sums over at most `largest_batch` rows.
///
/// Why nothing overflows: a row contributes |r c x| <= 1, so a tile's partial sum is at most 64
/// plus rounding, below 2^6 (1 + 2^-21), scaled below 2^50 (1 + 2^-21) < 2^51, the range of
/// to_fixed; and B rows sum to at most B 2^k (1 + 2^-21) <= 2^62 (1 + 2^-21) < 2^63.
inline int fixed_point_bits(std::int64_t largest_batch) {
  const auto rows = static_cast<std::uint64_t>(largest_batch < 1 ? 1 : largest_batch);
  const int ceil_log2 = static_cast<int>(std::bit_width(rows - 1));
  return ceil_log2 > 18 ? 62 - ceil_log2 : 44;
}

/// p * scale rounded to the nearest integer, ties to even; |p * scale| < 2^51, scale a power of
/// two. Adding 1.5 * 2^52 leaves the integer in the low bits, on every processor alike; conversion
/// instructions differ between processors in rounding and on overflow.
OSSAU_HOST_DEVICE inline std::int64_t to_fixed(float p, double scale) {
  const double magic = 6755399441055744.0;  // 1.5 * 2^52
  return bit_copy<std::int64_t>(static_cast<double>(p) * scale + magic) -
         bit_copy<std::int64_t>(magic);
}

/// A row's loss is clamped to this, and counted, before it is summed.
inline constexpr float kLargestLoss = 2147483648.0f;  // 2^31

/// Scale of the summed fractions of losses.
inline constexpr double kLossFractionScale = 4294967296.0;  // 2^32

/// The sum of losses that the two integers hold.
OSSAU_HOST_DEVICE inline double loss_value(std::int64_t floors, std::int64_t fractions) {
  return static_cast<double>(floors) + static_cast<double>(fractions) * (1.0 / kLossFractionScale);
}

}  // namespace ossau
