#pragma once

#include "arith/rules/rule.hpp"

namespace ossau::rules {

/// Descent from a look-ahead y: w' = prox(y - rate g(y)), y <- w' + momentum (w' - w).
struct Nesterov : Rule {
  static constexpr int kStates = 1;  // y
  static constexpr bool kLooksAhead = true;

  double momentum;

  OSSAU_HOST_DEVICE Nesterov(const ModelRule& of_model, const StepParameters& of_step)
      : Rule(of_model, of_step), momentum(of_model.settings.values[0]) {}

  template <class Optimizer>
  static RuleSettings settings(const Optimizer& optimizer) {
    return {{optimizer.momentum}};
  }

  OSSAU_HOST_DEVICE void move(const Element& element, double& w, double* state) const {
    double& y = state[0];
    const double moved = descend(y, gradient(element, y), step.rate, l1(element));
    y = moved + momentum * (moved - w);
    w = moved;
  }
};

}  // namespace ossau::rules
