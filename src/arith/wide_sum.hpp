#pragma once

#include <cmath>
#include <cstdint>

// Order-free sums of float64 numbers in [-1, 1]: 128-bit fixed point with 62 fractional bits.

namespace ossau {

__extension__ using Int128 = __int128;

inline constexpr double kWideScale = 4611686018427387904.0;  // 2^62

/// u * 2^62 to the nearest integer; u in [-1, 1].  The product is exact, so llrint rounds once.
inline std::int64_t to_wide(double u) { return std::llrint(u * kWideScale); }

/// The value of a sum of to_wide terms.
inline double wide_value(Int128 sum) { return static_cast<double>(sum) / kWideScale; }

}  // namespace ossau
