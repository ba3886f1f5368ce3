#include "arith/elementary.hpp"

#include <array>
#include <cstddef>

#include "arith/bits.hpp"

namespace ossau {
namespace {

constexpr double kPi = 3.14159265358979323846;

// Taylor series at 0, on |x| <= pi/4 (the next terms are below 2^-60).
double sine(double x) {
  constexpr std::array<double, 9> kCoefficients = {1.0 / 355687428096000.0,
                                                   -1.0 / 1307674368000.0,
                                                   1.0 / 6227020800.0,
                                                   -1.0 / 39916800.0,
                                                   1.0 / 362880.0,
                                                   -1.0 / 5040.0,
                                                   1.0 / 120.0,
                                                   -1.0 / 6.0,
                                                   1.0};
  const double xx = x * x;
  double p = 0;
  for (const double c : kCoefficients) p = p * xx + c;
  return p * x;
}

double cosine(double x) {
  constexpr std::array<double, 9> kCoefficients = {1.0 / 20922789888000.0,
                                                   -1.0 / 87178291200.0,
                                                   1.0 / 479001600.0,
                                                   -1.0 / 3628800.0,
                                                   1.0 / 40320.0,
                                                   -1.0 / 720.0,
                                                   1.0 / 24.0,
                                                   -0.5,
                                                   1.0};
  const double xx = x * x;
  double p = 0;
  for (const double c : kCoefficients) p = p * xx + c;
  return p;
}

}  // namespace

double cos_pi(double t) {
  // Symmetry brings the argument to at most pi/4; 0.5 - t and 1 - t are exact there.
  if (t > 0.5) return -cos_pi(1.0 - t);
  return t <= 0.25 ? cosine(kPi * t) : sine(kPi * (0.5 - t));
}

double log_natural(double x) {
  // x = 2^k f with f in [sqrt(1/2), sqrt(2)); log f = 2 atanh s, s = (f - 1) / (f + 1), |s| <
  // 0.172.
  const auto bits = bit_copy<std::uint64_t>(x);
  auto k = static_cast<std::int64_t>(bits >> 52) - 1023;
  auto f = bit_copy<double>((bits & 0x000fffffffffffffull) | 0x3ff0000000000000ull);
  if (f > 1.4142135623730951) {
    f *= 0.5;
    ++k;
  }
  const double s = (f - 1.0) / (f + 1.0);
  const double ss = s * s;
  double p = 0;
  for (int degree = 21; degree >= 3; degree -= 2) p = (p + 1.0 / degree) * ss;
  constexpr double kLog2High = 0.693147180369123816490;
  constexpr double kLog2Low = 1.90821492927058770002e-10;
  const auto power = static_cast<double>(k);
  return power * kLog2High + (power * kLog2Low + 2.0 * (s + s * p));
}

double integer_power(double factor, std::int64_t count) {
  double result = 1;
  for (double square = factor; count > 0; count >>= 1, square *= square) {
    if ((count & 1) != 0) result *= square;
  }
  return result;
}

}  // namespace ossau
