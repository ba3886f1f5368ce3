#pragma once

#include <memory>

#include "solve/solver.hpp"

namespace ossau {

struct GramLbfgsOptions {
  double gram_reads = 6;  // what a Gram matrix costs, in reads of the rows
  std::size_t memory = 10;
};

/// L-BFGS whose first guess at the inverse Hessian is a factor of the Gram matrix X'(cD)X / W + l2,
/// made anew where, at the rate at which the bound falls, the reads that are left cost more.
/// from: its point, and all the rest of a state that goes on.
/// Source: Liu and Nocedal, On the limited memory BFGS method, 1989; Hager and Zhang, A new
/// conjugate gradient method with guaranteed descent, 2005 (approximate Wolfe conditions).
std::unique_ptr<Solver> make_gram_lbfgs(Objective& objective, SolverState from,
                                        const GramLbfgsOptions& options);

}  // namespace ossau
