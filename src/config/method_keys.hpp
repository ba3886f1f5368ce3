#pragma once

#include <string>
#include <vector>

#include "ossau/config.hpp"

namespace ossau {

/// Whether a method is a solver (solve/solver.hpp), not a rule.
constexpr bool is_solver(Method method) {
  return method == Method::kGramLbfgs || method == Method::kNewtonCg ||
         method == Method::kProximalNewton;
}

/// The keys that only rules have and that are set: whoever sets one wants a rule.
std::vector<std::string> keys_of_rules(const Config& config);

/// Whether a training is to reach the optimum: by a solver, named or chosen by `auto`.
bool goes_to_optimum(const Config& config);

}  // namespace ossau
