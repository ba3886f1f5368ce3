#pragma once

#include <cstddef>

// Where the sums of solvers' passes lie, for backends and kernels alike.

namespace ossau {

/// Layout of the sums of a pass over rows: runs of d features and the intercept, then StepTotals.
struct SolverSumLayout {
  std::size_t features = 0;  // d
  std::size_t runs = 1;

  std::size_t run(std::size_t i) const { return i * (features + 1); }
  std::size_t intercept(std::size_t i) const { return run(i) + features; }
  std::size_t totals() const { return run(runs); }
  std::size_t size() const { return totals() + kTotals; }

  static constexpr std::size_t kTotals = 4;
};

/// Steps of one pass along a line, at most.
inline constexpr std::size_t kMostLineSteps = 8;

/// Layout of the sums along a line: for each t StepTotals, then the sums of c r q and of c D q^2,
/// q = dz 2^-exponent.
struct LineSumLayout {
  static constexpr std::size_t kTotals = 4;
  static constexpr std::size_t kFirst = 4;   // first derivative
  static constexpr std::size_t kSecond = 5;  // second derivative
  static constexpr std::size_t kNumbers = 6;
};

}  // namespace ossau
