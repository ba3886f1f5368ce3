#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arith/feature_sum.hpp"
#include "arith/gram.hpp"

// Vectors of a solver, [d + 1] with the intercept last, and its matrices.  They live on the host,
// where sums by one fixed tree give every rank and every backend the same bits
// (docs/decisions/0017).

namespace ossau {

using Vector = std::vector<double>;

inline double dot(std::span<const double> a, std::span<const double> b) {
  return feature_sum(static_cast<std::int64_t>(a.size()), [&](std::int64_t j) {
    return a[static_cast<std::size_t>(j)] * b[static_cast<std::size_t>(j)];
  });
}

inline double norm(std::span<const double> a) { return std::sqrt(dot(a, a)); }

/// y <- a x + y
inline void axpy(double a, std::span<const double> x, std::span<double> y) {
  for (std::size_t j = 0; j < y.size(); ++j) y[j] += a * x[j];
}

/// x <- D^-1 x, D a diagonal; left as it is where that is 0, as of a feature that no row has.
inline void divide_by_diagonal(std::span<const double> diagonal, std::span<double> x) {
  for (std::size_t j = 0; j < x.size(); ++j) {
    if (diagonal[j] > 0) x[j] /= diagonal[j];
  }
}

inline Vector difference(std::span<const double> a, std::span<const double> b) {
  Vector result(a.begin(), a.end());
  axpy(-1, b, result);
  return result;
}

inline double largest_entry(std::span<const double> a) {
  double largest = 0;
  for (const double x : a) largest = std::fmax(largest, std::fabs(x));
  return largest;
}

/// A symmetric matrix by its upper triangle, row by row: row i holds columns i, ..., n - 1.
struct Triangle {
  std::size_t columns = 0;     // n
  std::vector<double> values;  // [n (n + 1) / 2]

  explicit Triangle(std::size_t n) : columns(n), values(triangle_row(n, n)) {}

  /// Row i from its diagonal on.
  std::span<double> row(std::size_t i) {
    return {values.data() + triangle_row(columns, i), columns - i};
  }
  std::span<const double> row(std::size_t i) const {
    return {values.data() + triangle_row(columns, i), columns - i};
  }
};

}  // namespace ossau
