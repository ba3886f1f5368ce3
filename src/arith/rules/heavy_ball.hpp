#pragma once

#include "arith/rules/rule.hpp"

namespace ossau::rules {

/// v <- momentum v + g, w <- w - rate v.  With L1, v becomes what the proximal step really moved,
/// so that the method rests exactly at minimisers.  Source: Ochs, Chen, Brox and Pock, iPiano:
/// Inertial Proximal Algorithm for Nonconvex Optimization, 2014.
struct HeavyBall : Rule {
  static constexpr int kStates = 1;  // v

  double momentum;

  OSSAU_HOST_DEVICE HeavyBall(const ModelRule& of_model, const StepParameters& of_step)
      : Rule(of_model, of_step), momentum(of_model.settings.values[0]) {}

  template <class Optimizer>
  static RuleSettings settings(const Optimizer& optimizer) {
    return {{optimizer.momentum}};
  }

  OSSAU_HOST_DEVICE void move(const Element& element, double& w, double* state) const {
    double& v = state[0];
    v = momentum * v + gradient(element, w);
    const double moved = descend(w, v, step.rate, l1(element));
    if (l1(element) > 0 && step.rate > 0) v = (w - moved) / step.rate;
    w = moved;
  }
};

}  // namespace ossau::rules
