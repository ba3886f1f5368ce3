#pragma once

#include <cstddef>
#include <memory>

#include "solve/solver.hpp"

namespace ossau {

struct OrthantNewtonOptions {
  std::size_t memory = 10;  // steps that are remembered
};

/// For an L1 penalty where a Gram matrix is too dear: each step stays within an orthant, where the
/// penalty is smooth.  Steps of L-BFGS look for the weights that are not 0 (OWL-QN); once these
/// settle, steps of Newton's method by conjugate gradients end it and prove the gap.
/// from: as of make_gram_lbfgs().
/// Source: Andrew and Gao, Scalable training of L1-regularized log-linear models, ICML 2007; Byrd,
/// Chin, Nocedal and Oztoprak, A family of second-order methods for convex l1-regularized
/// optimization, 2016.
std::unique_ptr<Solver> make_orthant_newton(Objective& objective, SolverState from,
                                            const OrthantNewtonOptions& options);

}  // namespace ossau
