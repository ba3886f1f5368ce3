#pragma once

#include "arith/update.hpp"
#include "warp.cuh"

// The update rules that go element by element, for whoever has the element.

namespace ossau::device {

/// A weight and what its rule keeps beside it: kMomentum the velocity, kNesterov the look-ahead.
struct Element {
  double w = 0;
  double beside = 0;
};

OSSAU_HOST_DEVICE inline bool keeps_beside(UpdateRule rule) {
  return rule == UpdateRule::kMomentum || rule == UpdateRule::kNesterov;
}

/// kDescent, kMomentum and kNesterov: moves the element j and returns what scores rows from now on.
__device__ __forceinline__ double move_element(const ModelRule& model, UpdateRule rule,
                                               const StepParameters& step, std::int64_t sum,
                                               double power, std::int64_t j, Element& element) {
  const double at = rule == UpdateRule::kNesterov ? element.beside : element.w;
  const double g = model.gradient(sum, step.gradient_factor, power, j, at);
  if (rule == UpdateRule::kMomentum) {
    element.w = roll(element.w, element.beside, g, model.momentum, step.rate, model.l1(j));
    return element.w;
  }
  const double moved = descend(at, g, step.rate, model.l1(j));
  if (rule == UpdateRule::kNesterov) {
    element.beside = moved + model.momentum * (moved - element.w);
    element.w = moved;
    return element.beside;
  }
  element.w = moved;
  return moved;
}

}  // namespace ossau::device
