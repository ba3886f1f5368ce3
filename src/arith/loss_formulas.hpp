// Every loss, for any kind of lane, and the list of them.
//
// Included inside a namespace like logistic_formula.hpp, whose text comes along; it has no include
// guard.  A loss is a struct of static functions on lanes of rows, finite scores given:
//
//   value(score, target)       the loss, not below 0, and its slope by the miss, in [-1, 1];
//                              without the row's weight
//   curvature(score, target)   the second derivative by the score, without the row's weight
//   kLargestCurvature          what that is at most: no more than 1/4, or sums of a Gram matrix and
//                              of solvers' passes overflow (docs/arithmetic.md)
//   decision_cut(threshold)    the score from which rows are predicted positive
//   constant_score(share)      the score that fits best where all rows have one; share: of the
//                              weight, that of positive rows, in (0, 1)
//   constant_loss(share, fit)  the mean loss of rows with this share at constant_score(fit)

#include "arith/logistic_formula.hpp"

/// What rows should be scored as, and how much they count.  A tile keeps both in one float, so that
/// nothing else need know how: c with the sign of the class, see signed_weight().
template <class Ops>
struct RowTarget {
  using Float = typename Ops::Float;

  Float signed_weight;

  /// c, in [0, 1].
  OSSAU_HOST_DEVICE Float weight() const { return Ops::abs(signed_weight); }
  /// The score by which a row misses: -score of a positive row, score of a negative one.
  OSSAU_HOST_DEVICE Float miss(Float score) const { return Ops::flip_sign(score, signed_weight); }
  /// c times the derivative by the score, of the slope by the miss.
  OSSAU_HOST_DEVICE Float residual(Float slope) const {
    return Ops::multiply(slope, signed_weight);
  }
};

/// A loss and its derivative by the miss.
template <class Float>
struct LossValue {
  Float slope;
  Float loss;
};

/// Loss and residual of rows, both times their weight.
template <class Float>
struct RowLoss {
  Float residual;  // d loss / d score
  Float loss;
};

/// What every loss has.
template <class Ops, class Loss>
struct WeightedLoss {
  using Float = typename Ops::Float;

  static OSSAU_HOST_DEVICE RowLoss<Float> at(Float score, const RowTarget<Ops>& target) {
    static_assert(Loss::kLargestCurvature <= 0.25);
    const auto value = Loss::value(score, target);
    return {target.residual(value.slope), Ops::multiply(value.loss, target.weight())};
  }
};

/// -log of the probability of a row's label, which is sigmoid(+-score): with m the miss, the slope
/// is sigmoid(m) and the loss softplus(m).  Never p - y, which cancels.
template <class Ops>
struct LogisticLoss : WeightedLoss<Ops, LogisticLoss<Ops>> {
  using Float = typename Ops::Float;

  static constexpr double kLargestCurvature = 0.25;

  static OSSAU_HOST_DEVICE LossValue<Float> value(Float score, const RowTarget<Ops>& target) {
    const auto logistic_value = logistic<Ops>(target.miss(score));
    return {logistic_value.sigmoid, logistic_value.softplus};
  }

  static OSSAU_HOST_DEVICE Float curvature(Float score, const RowTarget<Ops>& /*target*/) {
    return logistic_curvature<Ops>(score);
  }

  /// threshold: of the probability, in (0, 1).
  static double decision_cut(double threshold) { return log_odds(threshold); }
  static double constant_score(double share) { return log_odds(share); }
  static double constant_loss(double share, double fit) {
    return -share * log_natural(fit) - (1 - share) * log_natural(1 - fit);
  }

 private:
  static double log_odds(double p) { return log_natural(p / (1 - p)); }
};

/// The list: calls visit(loss) with the formulae of `kind`.  The visitor may be of the host, of the
/// device or of both.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
template <class Ops, class Visit>
OSSAU_HOST_DEVICE inline auto with_loss(LossKind kind, const Visit& visit) {
  switch (kind) {
    case LossKind::kLogistic:
      break;
  }
  return visit(LogisticLoss<Ops>());
}
