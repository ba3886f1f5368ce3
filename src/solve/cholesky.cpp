#include "solve/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace ossau {
namespace {

// Rows that are taken from the rest at once: it is read and written once for all of them.
constexpr std::size_t kPanel = 32;

// A pivot below this share of its diagonal is what rounding leaves of 0.
constexpr double kLeastPivot = 0x1p-40;

// The damping ladder: its first step, its factor, and where a diagonal is all that is left.
constexpr double kFirstDamping = 0x1p-22;
constexpr double kDampingFactor = 16;
constexpr double kMostDamping = 0x1p30;

// Row i of the rest less the part of row k.
void subtract_outer(const Triangle& matrix, std::size_t k, std::size_t i, std::span<double> row) {
  const std::span<const double> pivot_row = matrix.row(k).subspan(i - k);
  const double factor = pivot_row[0];
  for (std::size_t j = 0; j < row.size(); ++j) row[j] -= factor * pivot_row[j];
}

// Four rows at once, one after the other for every element.
void subtract_outer4(const Triangle& matrix, std::size_t k, std::size_t i, std::span<double> row) {
  const double* a = matrix.row(k).data() + (i - k);
  const double* b = matrix.row(k + 1).data() + (i - k - 1);
  const double* c = matrix.row(k + 2).data() + (i - k - 2);
  const double* d = matrix.row(k + 3).data() + (i - k - 3);
  const double fa = a[0];
  const double fb = b[0];
  const double fc = c[0];
  const double fd = d[0];
  double* to = row.data();
  for (std::size_t j = 0; j < row.size(); ++j) {
    to[j] = (((to[j] - fa * a[j]) - fb * b[j]) - fc * c[j]) - fd * d[j];
  }
}

void subtract_panel(Triangle& matrix, std::size_t begin, std::size_t end, std::size_t i) {
  const std::span<double> row = matrix.row(i);
  std::size_t k = begin;
  for (; k + 4 <= end; k += 4) subtract_outer4(matrix, k, i, row);
  for (; k < end; ++k) subtract_outer(matrix, k, i, row);
}

// Turns row k into a row of the factor; false where its pivot is not safely above 0.
bool finish_row(std::span<double> row, double diagonal, double& least_pivot) {
  if (diagonal == 0) {  // of a column of zeros
    std::fill(row.begin(), row.end(), 0.0);
    return true;
  }
  if (!(row[0] > kLeastPivot * diagonal)) return false;
  least_pivot = std::fmin(least_pivot, row[0] / diagonal);
  const double root = std::sqrt(row[0]);
  row[0] = root;
  for (std::size_t j = 1; j < row.size(); ++j) row[j] /= root;
  return true;
}

// False where a pivot fails.
bool factorize(Triangle& matrix, double& least_pivot) {
  const std::size_t n = matrix.columns;
  std::vector<double> diagonal(n);
  for (std::size_t i = 0; i < n; ++i) diagonal[i] = matrix.row(i)[0];
  for (std::size_t begin = 0; begin < n; begin += kPanel) {
    const std::size_t end = std::min(begin + kPanel, n);
    for (std::size_t k = begin; k < end; ++k) {
      if (!finish_row(matrix.row(k), diagonal[k], least_pivot)) return false;
      for (std::size_t i = k + 1; i < end; ++i) subtract_outer(matrix, k, i, matrix.row(i));
    }
    for (std::size_t i = end; i < n; ++i) subtract_panel(matrix, begin, end, i);
  }
  return true;
}

void add_to_diagonal(Triangle& matrix, double share) {
  for (std::size_t i = 0; i < matrix.columns; ++i) matrix.row(i)[0] *= 1 + share;
}

}  // namespace

CholeskyFactor::CholeskyFactor(const Triangle& matrix) : factor_(matrix) {
  while (!factorize(factor_, least_pivot_)) {
    least_pivot_ = 1;
    damping_ = damping_ == 0 ? kFirstDamping : damping_ * kDampingFactor;
    factor_ = matrix;
    if (damping_ > kMostDamping) {  // the diagonal alone
      for (std::size_t i = 0; i < factor_.columns; ++i) {
        const std::span<double> row = factor_.row(i);
        std::fill(row.begin() + 1, row.end(), 0.0);
        row[0] = std::sqrt(std::fmax(row[0], 0.0));
      }
      return;
    }
    add_to_diagonal(factor_, damping_);
  }
}

void CholeskyFactor::solve(std::span<double> x) const {
  const std::size_t n = factor_.columns;
  for (std::size_t k = 0; k < n; ++k) {
    const std::span<const double> row = factor_.row(k);
    if (row[0] == 0) {
      x[k] = 0;
      continue;
    }
    x[k] /= row[0];
    double* rest = x.data() + k;
    for (std::size_t j = 1; j < row.size(); ++j) rest[j] -= x[k] * row[j];
  }
  for (std::size_t k = n; k-- > 0;) {
    const std::span<const double> row = factor_.row(k);
    if (row[0] == 0) continue;
    // Four sums, so that one addition need not wait for another.
    double sums[4] = {};
    const double* rest = x.data() + k;
    for (std::size_t j = 1; j < row.size(); ++j) sums[j % 4] += row[j] * rest[j];
    x[k] = (x[k] - ((sums[0] + sums[1]) + (sums[2] + sums[3]))) / row[0];
  }
}

}  // namespace ossau
