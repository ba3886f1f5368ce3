#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "solve/orthant.hpp"
#include "solve/solver.hpp"
#include "solve/standing.hpp"

namespace ossau {

/// What conjugate gradients have found.
struct NewtonStep {
  Vector step;                          // d; X d is in Standing's slot for slopes
  Vector product;                       // H d
  std::vector<StepPair> products = {};  // some of those that were made
  int stride = 1;                       // between those that are kept
};

/// How far conjugate gradients have come.
struct Progress {
  const NewtonStep& found;
  const Vector& residual;  // -slopes - H d, of what may move
  std::int64_t products = 0;
  double size = 0;        // of the residual, by the preconditioner
  double first_size = 0;  // the same before the first product
};

/// About the step of Newton's method from a point within an orthant: by conjugate gradients,
/// preconditioned by the Hessian's diagonal and by `pairs`.  One read a product.
/// memory: of the products, evenly spread, this many are kept or up to twice as many; 0: none.
/// is_enough: asked after every product.
NewtonStep find_newton_step(Objective& objective, const Standing& standing, const Orthant& orthant,
                            const std::vector<StepPair>& pairs, std::size_t memory,
                            const std::function<bool(const Progress&)>& is_enough);

}  // namespace ossau
