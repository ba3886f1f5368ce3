#pragma once

#include "arith/rules/rule.hpp"

namespace ossau::rules {

/// (Proximal) gradient descent.
struct Descent : Rule {
  using Rule::Rule;

  OSSAU_HOST_DEVICE void move(const Element& element, double& w, double* /*state*/) const {
    w = descend(w, gradient(element, w), step.rate, l1(element));
  }
};

}  // namespace ossau::rules
