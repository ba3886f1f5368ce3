#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "config/method_keys.hpp"
#include "ossau/config.hpp"
#include "ossau/summary.hpp"
#include "solve/solver.hpp"
#include "train/preparation.hpp"

namespace ossau {

/// The configuration with every `auto` that shapes the model replaced by what it stands for here:
/// method, l2, and a rule's epochs and batch size.
Config resolved(const Config& config, const PreparedData& data);

/// Says what was chosen where `auto` was asked for.
void say_choices(const Config& given, const Config& config, const Schema& schema);

/// Which solver, how it is set, and how far it is to go.  Depends on nothing but sizes of the data
/// and the configuration, so it is the same on every machine.
struct SolverPlan {
  Method method = Method::kGramLbfgs;
  double gap = 0;          // wanted, as a share of the minimum
  double weight = 0;       // of all rows, as given; 0: the gap is wanted as it is and no less
  double gram_reads = 0;   // what a Gram matrix costs, in reads of the rows
  std::size_t memory = 0;  // pairs that conjugate gradients keep
  // Iterations that do not halve the gap after which float32 is taken to allow no better.
  std::int64_t patience = 30;

  /// The gap to go on to where float32 allows: at half of 0.1^2 / W of the value, weights are
  /// within a tenth of their standard errors.
  double fine_gap(double value) const {
    return weight > 0 ? std::min(gap, 0.005 / (weight * value)) : gap;
  }
};

/// config: as resolved() gave it, with a solver.
SolverPlan plan_solver(const Config& config, const PreparedData& data);

/// from: a state that it left, or a point alone.
std::unique_ptr<Solver> make_solver(const SolverPlan& plan, Objective& objective, SolverState from);

}  // namespace ossau
