#pragma once

#include <cstdint>

// Elementary functions in float64 from add, multiply, divide and bit operations.  No libm: its bits
// differ between systems and versions.

namespace ossau {

/// cos(pi t) for t in [0, 1], within 4e-16.
double cos_pi(double t);

/// Natural logarithm of a positive normal x, within 4e-16 relative or absolute; log_natural(1) ==
/// 0.
double log_natural(double x);

/// factor^count by repeated squaring, count >= 0.
double integer_power(double factor, std::int64_t count);

}  // namespace ossau
