#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ossau/config.hpp"
#include "ossau/summary.hpp"

namespace ossau {

/// Remembers the best weights by a validation metric and says when to stop.
class EarlyStopper {
 public:
  explicit EarlyStopper(EarlyStopping config) : config_(config) {}

  /// Takes one validation pass into account; true when training should stop.
  bool observe(const Metrics& validation, const std::vector<double>& weights);

  /// The weights of the best pass so far; empty before the first.
  const std::vector<double>& best_weights() const { return best_weights_; }

 private:
  EarlyStopping config_;
  std::optional<double> best_;  // higher is better
  std::vector<double> best_weights_;
  std::int64_t passes_without_gain_ = 0;
};

}  // namespace ossau
