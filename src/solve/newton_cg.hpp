#pragma once

#include <memory>

#include "solve/solver.hpp"

namespace ossau {

struct NewtonCgOptions {
  std::size_t memory = 20;  // pairs of the last step's conjugate gradients that are kept
};

/// Newton's method by conjugate gradients, for problems whose Gram matrix is too dear and that
/// have no L1 penalty.  They are
/// preconditioned by the Hessian's diagonal and by pairs of the last step's.
/// from: as of make_gram_lbfgs().
/// Source: Dembo and Steihaug, Truncated-Newton algorithms, 1983; Morales and Nocedal, Automatic
/// preconditioning by limited memory quasi-Newton updating, 2000.
std::unique_ptr<Solver> make_newton_cg(Objective& objective, SolverState from,
                                       const NewtonCgOptions& options);

}  // namespace ossau
