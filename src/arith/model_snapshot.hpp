#pragma once

#include <vector>

namespace ossau {

/// Weights and optimiser state between two steps, as a backend keeps them: any other that is set up
/// alike goes on from it with the same bits.
struct ModelSnapshot {
  std::vector<double> weights;          // [d + 1], intercept last; of rules that keep w = a v: v
  std::vector<double> optimizer_state;  // [states of the rule, d + 1]
  double nesterov_t = 1;                // of rules that need a slope
  double scale = 1;                     // a
};

}  // namespace ossau
