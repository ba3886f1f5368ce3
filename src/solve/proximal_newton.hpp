#pragma once

#include <memory>

#include "solve/solver.hpp"

namespace ossau {

struct ProximalNewtonOptions {
  double gram_reads = 6;  // what a Gram matrix costs, in reads of the rows
};

/// Newton's method for objectives with an L1 penalty: each step minimises the penalty and a
/// parabola with the Gram matrix's curvature, and so finds exact zeros.
/// from: as of make_gram_lbfgs().
/// Source: Lee, Sun and Saunders, Proximal Newton-type methods, 2014.
std::unique_ptr<Solver> make_proximal_newton(Objective& objective, SolverState from,
                                             const ProximalNewtonOptions& options);

}  // namespace ossau
