#pragma once

#include "arith/rules/rule.hpp"

namespace ossau::rules {

/// Descent with w = a v, a taking the whole L2 penalty: untouched features keep the bits of their v
/// (docs/sparse_updates.md).  No other penalties.
struct ScaledDescent : Rule {
  static constexpr bool kScalesWeights = true;

  double feature_rate;

  OSSAU_HOST_DEVICE ScaledDescent(const ModelRule& of_model, const StepParameters& of_step)
      : Rule(of_model, of_step), feature_rate(of_step.rate / of_step.scale) {}

  // A fold moves every v; under a negative scale a sum of 0 turns -0 into +0.
  OSSAU_HOST_DEVICE static bool keeps_untouched(const ModelRule&, const StepParameters& of_step) {
    return !of_step.fold && of_step.scale > 0;
  }

  OSSAU_HOST_DEVICE void move(const Element& element, double& v, double* /*state*/) const {
    const bool feature = element.j < model.features;
    if (feature && step.fold) v *= step.fold_factor;
    v -= (feature ? feature_rate : step.rate) *
         model.loss_gradient(element.sum, step.gradient_factor, element.exponent_power, element.j);
  }
};

}  // namespace ossau::rules
