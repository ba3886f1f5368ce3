#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "solve/vectors.hpp"

namespace ossau {

/// The factor U of a positive definite matrix U'U, in float64.  Every element goes through the same
/// roundings in the same order, on any processor.
/// Source: Golub and Van Loan, Matrix Computations, 4th edition, section 4.2 (outer products).
class CholeskyFactor {
 public:
  /// Adds `damping` times its diagonal to the matrix until every pivot is safely above 0, more each
  /// time.  Columns of zeros are left out: a solution is 0 there.
  explicit CholeskyFactor(const Triangle& matrix);

  /// x <- (U'U)^-1 x, [n]
  void solve(std::span<double> x) const;

  /// What was added in the end, as a share of the diagonal.
  double damping() const { return damping_; }
  /// The least that is left of a column's diagonal, as a share of it, once what the columns before
  /// it explain is taken away: near 0 where columns are nearly collinear.
  double least_pivot() const { return least_pivot_; }

 private:
  Triangle factor_;
  double damping_ = 0;
  double least_pivot_ = 1;
};

}  // namespace ossau
