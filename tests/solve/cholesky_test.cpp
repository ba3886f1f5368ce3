#include "solve/cholesky.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "solve/vectors.hpp"
#include "support/tables.hpp"

namespace ossau::test {
namespace {

using Columns = std::vector<Vector>;

// Of so many rows, entries in [-1, 1).
Columns random_columns(std::size_t rows, std::size_t count, std::uint64_t seed) {
  Columns columns(count, Vector(rows));
  std::uint64_t k = 0;
  for (Vector& column : columns) {
    for (double& x : column) x = 2 * uniform(seed, k++) - 1;
  }
  return columns;
}

// The columns' products, as means, with `l2` along the diagonal.
Triangle gram_of(const Columns& columns, double l2) {
  Triangle matrix(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t j = i; j < columns.size(); ++j) {
      matrix.row(i)[j - i] =
          dot(columns[i], columns[j]) / static_cast<double>(columns.front().size());
    }
    matrix.row(i)[0] += l2;
  }
  return matrix;
}

Vector times(const Triangle& matrix, const Vector& x) {
  Vector product(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto row = matrix.row(i);
    product[i] += row[0] * x[i];
    for (std::size_t j = 1; j < row.size(); ++j) {
      product[i] += row[j] * x[i + j];
      product[i + j] += row[j] * x[i];
    }
  }
  return product;
}

Vector random_vector(std::size_t size, std::uint64_t seed) {
  return random_columns(size, 1, seed).front();
}

Vector solved(const CholeskyFactor& factor, Vector x) {
  factor.solve(x);
  return x;
}

// The textbook's loops, an element at a time: row k of the factor is taken from every row behind it
// before the next one is looked at.
Vector solved_by_the_textbook(const Triangle& matrix, Vector x) {
  const std::size_t n = matrix.columns;
  std::vector<Vector> u(n, Vector(n));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j) u[i][j] = matrix.row(i)[j - i];
  }
  for (std::size_t k = 0; k < n; ++k) {
    u[k][k] = std::sqrt(u[k][k]);
    for (std::size_t j = k + 1; j < n; ++j) u[k][j] /= u[k][k];
    for (std::size_t i = k + 1; i < n; ++i) {
      for (std::size_t j = i; j < n; ++j) u[i][j] -= u[k][i] * u[k][j];
    }
  }
  for (std::size_t k = 0; k < n; ++k) {
    x[k] /= u[k][k];
    for (std::size_t j = k + 1; j < n; ++j) x[j] -= x[k] * u[k][j];
  }
  for (std::size_t k = n; k-- > 0;) {
    double sums[4] = {};
    for (std::size_t j = k + 1; j < n; ++j) sums[(j - k) % 4] += u[k][j] * x[j];
    x[k] = (x[k] - ((sums[0] + sums[1]) + (sums[2] + sums[3]))) / u[k][k];
  }
  return x;
}

constexpr std::size_t kSizes[] = {1, 5, 31, 32, 33, 65, 200};

// Panels and rows taken four at a time change no rounding.
TEST(Cholesky, HasTheBitsOfTheTextbooksLoops) {
  for (const std::size_t n : kSizes) {
    const Triangle matrix = gram_of(random_columns(n + 20, n, n), 0.01);
    const Vector right = random_vector(n, 7);
    const CholeskyFactor factor(matrix);
    EXPECT_EQ(factor.damping(), 0) << n;
    EXPECT_EQ(solved(factor, right), solved_by_the_textbook(matrix, right)) << n;
    EXPECT_EQ(solved(CholeskyFactor(matrix), right), solved(factor, right)) << n;
  }
}

// Eigenvalues lie in [0.01, 2] here: a relative error of 200 of them, 200 roundings each.
TEST(Cholesky, SolvesForAKnownSolution) {
  for (const std::size_t n : kSizes) {
    const Triangle matrix = gram_of(random_columns(n + 20, n, 100 + n), 0.01);
    const Vector known = random_vector(n, 8);
    const Vector found = solved(CholeskyFactor(matrix), times(matrix, known));
    for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(found[j], known[j], 1e-11) << n << ", " << j;
  }
}

// The last column is the first one but for a part that is 2^-k of it.
TEST(Cholesky, TellsHowMuchOfAColumnTheOthersLeave) {
  for (const int k : {2, 8, 14}) {
    Columns columns = random_columns(60, 5, 11);
    const Vector own = random_vector(60, 12);
    for (std::size_t i = 0; i < own.size(); ++i) {
      columns[4][i] = columns[0][i] + std::ldexp(own[i], -k);
    }
    const double pivot = CholeskyFactor(gram_of(columns, 0)).least_pivot();
    EXPECT_LE(pivot, std::ldexp(4.0, -2 * k)) << k;
    EXPECT_GE(pivot, std::ldexp(0.05, -2 * k)) << k;
  }
  EXPECT_EQ(CholeskyFactor(gram_of(random_columns(60, 1, 3), 0)).least_pivot(), 1);
}

TEST(Cholesky, LeavesColumnsOfZerosOut) {
  for (const std::size_t n : {5, 40}) {
    Columns columns = random_columns(60, n, 3);
    const Vector right = random_vector(n, 4);
    Vector short_right = right;
    Columns fewer = columns;
    for (const std::size_t empty : {n - 1, n / 2, std::size_t{0}}) {
      std::fill(columns[empty].begin(), columns[empty].end(), 0.0);
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(empty));
      short_right.erase(short_right.begin() + static_cast<std::ptrdiff_t>(empty));
    }
    const CholeskyFactor factor(gram_of(columns, 0));
    EXPECT_EQ(factor.damping(), 0);
    const Vector found = solved(factor, right);
    const Vector expected = solved(CholeskyFactor(gram_of(fewer, 0)), short_right);
    std::size_t k = 0;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == 0 || j == n / 2 || j == n - 1) {
        EXPECT_EQ(found[j], 0.0) << j;
      } else {
        // Sums are parted otherwise; condition numbers are below 100.
        EXPECT_NEAR(found[j], expected[k], 1e-11 * (1 + std::fabs(expected[k]))) << j;
        ++k;
      }
    }
  }
}

TEST(Cholesky, OfNothingButZerosSolvesToZeros) {
  EXPECT_EQ(solved(CholeskyFactor(Triangle(3)), {1, 2, 3}), Vector(3));
}

// Copies of a column, the sum of two, one per other of a panel.
TEST(Cholesky, OfCollinearColumnsIsDampedAndStillDescends) {
  for (const std::size_t n : {3, 33, 70}) {
    Columns columns = random_columns(100, n, n);
    columns[n - 1] = columns[0];
    for (std::size_t i = 0; i < 100; ++i) columns[n / 2][i] = columns[0][i] + columns[1][i];
    const Triangle matrix = gram_of(columns, 0);
    const CholeskyFactor factor(matrix);
    EXPECT_GT(factor.damping(), 0) << n;
    EXPECT_LE(factor.damping(), 0x1p-14) << n;
    const Vector gradient = times(matrix, random_vector(n, 5));
    const Vector step = solved(factor, gradient);
    for (const double x : step) EXPECT_TRUE(std::isfinite(x)) << n;
    EXPECT_GT(dot(step, gradient), 0) << n;
    EXPECT_EQ(solved(CholeskyFactor(matrix), gradient), step) << n;
  }
}

// 1 + damping must exceed 2: the first rung of the ladder that does is 2^-22 16^6.
TEST(Cholesky, ClimbsTheLadderUntilAMatrixIsPositiveDefinite) {
  Triangle matrix(2);
  matrix.values = {1, 2, 1};
  const CholeskyFactor factor(matrix);
  EXPECT_EQ(factor.damping(), 4);
  const Vector x = solved(factor, {1, 0});
  EXPECT_NEAR(x[0], 5.0 / 21, 1e-15);
  EXPECT_NEAR(x[1], -2.0 / 21, 1e-15);
}

TEST(Cholesky, TakesTheDiagonalAloneWhereNoDampingHelps) {
  Triangle matrix(2);
  matrix.values = {4, std::numeric_limits<double>::infinity(), 1};
  EXPECT_EQ(solved(CholeskyFactor(matrix), {1, 1}), (Vector{0.25, 1}));
}

}  // namespace
}  // namespace ossau::test
