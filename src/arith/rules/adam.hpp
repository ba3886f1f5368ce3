#pragma once

#include "arith/elementary.hpp"
#include "arith/rules/rule.hpp"

namespace ossau::rules {

/// m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2, both divided by 1 - beta^t in step
/// t, w <- w - rate m / (sqrt(v) + epsilon); L1 by the proximal step at the weight's own rate.
/// Source: Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 1.
struct Adam : Rule {
  static constexpr const char* kMethod = "adam";
  static constexpr int kStates = 2;  // m, v
  // Of 0.001, 0.003, 0.01 and 0.03 the best after 20 epochs on a9a and adult; 0.03 gains two
  // thousandths on the HIGGS sample.
  static constexpr double kUsualRate = 0.01;

  double beta1;
  double beta2;
  double epsilon;

  OSSAU_HOST_DEVICE Adam(const ModelRule& of_model, const StepParameters& of_step)
      : Rule(of_model, of_step),
        beta1(of_model.settings.values[0]),
        beta2(of_model.settings.values[1]),
        epsilon(of_model.settings.values[2]) {}

  template <class Optimizer>
  static RuleSettings settings(const Optimizer& optimizer) {
    return {{optimizer.adam.beta1, optimizer.adam.beta2, optimizer.adam.epsilon}};
  }

  // From the step's number alone: a training that goes on has the same bits.
  static void prepare(const RuleSettings& settings, std::int64_t number, StepParameters& step) {
    for (int k = 0; k < 2; ++k) {
      step.corrections[k] = 1 - integer_power(settings.values[k], number);
    }
  }

  OSSAU_HOST_DEVICE void move(const Element& element, double& w, double* state) const {
    const double g = gradient(element, w);
    state[0] = beta1 * state[0] + (1 - beta1) * g;
    state[1] = beta2 * state[1] + (1 - beta2) * (g * g);
    const double m = state[0] / step.corrections[0];
    const double v = state[1] / step.corrections[1];
    w = descend(w, m, step.rate / (sqrt(v) + epsilon), l1(element));
  }
};

}  // namespace ossau::rules
