#pragma once

#include "arith/rules/rule.hpp"

namespace ossau::rules {

/// G += g^2, w <- w - rate / (sqrt(G) + epsilon) g: each weight has a rate of its own, which falls
/// as its gradients come; L1 by the proximal step at that rate.  Source: Duchi, Hazan and Singer,
/// Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, 2011.
struct Adagrad : Rule {
  static constexpr const char* kMethod = "adagrad";
  static constexpr int kStates = 1;  // G
  // Of 0.01, 0.03, 0.1 and 0.3 the best after 20 epochs of 1,024 rows on a9a, adult and the HIGGS
  // sample.
  static constexpr double kUsualRate = 0.1;

  double epsilon;

  OSSAU_HOST_DEVICE Adagrad(const ModelRule& of_model, const StepParameters& of_step)
      : Rule(of_model, of_step), epsilon(of_model.settings.values[0]) {}

  template <class Optimizer>
  static RuleSettings settings(const Optimizer& optimizer) {
    return {{optimizer.adagrad.epsilon}};
  }

  // A rate so high that it overflows would make 0 * infinity of an untouched feature.
  OSSAU_HOST_DEVICE static bool keeps_untouched(const ModelRule& of_model,
                                                const StepParameters& of_step) {
    const Penalty& penalty = of_model.penalty;
    return penalty.l1 == 0 && penalty.l2 == 0 && penalty.pseudo_huber == 0 &&
           of_step.rate <= 1e300 * of_model.settings.values[0];
  }

  OSSAU_HOST_DEVICE void move(const Element& element, double& w, double* state) const {
    const double g = gradient(element, w);
    state[0] += g * g;
    w = descend(w, g, step.rate / (sqrt(state[0]) + epsilon), l1(element));
  }
};

}  // namespace ossau::rules
