#pragma once

#include <cstdint>

#include "arith/step.hpp"
#include "arith/update.hpp"

namespace ossau::rules {

/// One element of a step: feature j, or at j = d the intercept.
struct Element {
  std::int64_t j = 0;
  std::int64_t sum = 0;         // of its gradient, over the batch
  double exponent_power = 1.0;  // 2^e_j
};

/// What every rule has: the step that is being taken, the same for all elements, and these answers,
/// which a rule gives anew where its own is another.
struct Rule {
  static constexpr int kStates = 0;                // float64 numbers kept for each weight
  static constexpr bool kLooksAhead = false;       // gradients are taken at state 0, not at w
  static constexpr bool kNeedsSlope = false;       // propose, choose the momentum, accept
  static constexpr bool kScalesWeights = false;    // the weights are a times what is kept
  static constexpr double kUsualRate = 0;          // `learning_rate: auto`; 0: 1 / L
  static constexpr const char* kMethod = nullptr;  // optimizer.method: NAME; null: of sgd

  ModelRule model;
  StepParameters step;

  OSSAU_HOST_DEVICE Rule(const ModelRule& of_model, const StepParameters& of_step)
      : model(of_model), step(of_step) {}

  /// Whether a feature whose sum is 0 keeps the bits of its weight and state.
  OSSAU_HOST_DEVICE static bool keeps_untouched(const ModelRule&, const StepParameters&) {
    return false;
  }
  /// On the host: the rule's settings, of the optimizer section of a configuration.
  template <class Optimizer>
  static RuleSettings settings(const Optimizer&) {
    return {};
  }
  /// On the host: fills step.corrections of the step with this number, from 1.
  static void prepare(const RuleSettings&, std::int64_t /*number*/, StepParameters&) {}

 protected:
  OSSAU_HOST_DEVICE double gradient(const Element& element, double at) const {
    return model.gradient(element.sum, step.gradient_factor, element.exponent_power, element.j, at);
  }
  OSSAU_HOST_DEVICE double l1(const Element& element) const { return model.l1(element.j); }
};

}  // namespace ossau::rules
