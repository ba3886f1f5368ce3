#pragma once

#include "arith/rules/rule.hpp"

namespace ossau::rules {

/// Nesterov's growing momentum, which starts again where a step went uphill.  A step has two
/// halves: every element proposes; the sum of their terms, the slope, chooses the momentum; every
/// element accepts.  Source: O'Donoghue and Candes, Adaptive Restart for Accelerated Gradient
/// Schemes.
struct Accelerated : Rule {
  static constexpr int kStates = 1;  // y_k, the look-ahead
  static constexpr bool kLooksAhead = true;
  static constexpr bool kNeedsSlope = true;

  using Rule::Rule;

  /// x_(k+1) = prox(y_k - rate g(y_k)); returns the term of g . (x_(k+1) - x_k), g the gradient, or
  /// for L1 the proximal step.
  OSSAU_HOST_DEVICE double propose(const Element& element, double w, const double* state,
                                   double& proposal) const {
    const double y = state[0];
    const double g = gradient(element, y);
    proposal = descend(y, g, step.rate, l1(element));
    const double slope = l1(element) > 0 ? (y - proposal) / step.rate : g;
    return slope * (proposal - w);
  }

  /// (t_k - 1) / t_(k+1), and moves t on.
  OSSAU_HOST_DEVICE static double choose_momentum(double slope, double& t) {
    const bool restart = slope > 0;
    const double next_t = restart ? 1.0 : next_nesterov_t(t);
    const double momentum = restart ? 0.0 : (t - 1) / next_t;
    t = next_t;
    return momentum;
  }

  OSSAU_HOST_DEVICE static void accept(double proposal, double momentum, double& w, double* state) {
    state[0] = proposal + momentum * (proposal - w);
    w = proposal;
  }
};

}  // namespace ossau::rules
