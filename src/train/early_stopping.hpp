#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "ossau/config.hpp"
#include "ossau/summary.hpp"

namespace ossau {

/// What it remembers.
struct EarlyStopperState {
  std::optional<double> best;        // goodness: higher is better
  std::vector<double> best_weights;  // [d + 1], or empty before the first pass
  std::int64_t passes_without_gain = 0;
};

/// Remembers the best weights by a validation metric and says when to stop.
class EarlyStopper {
 public:
  explicit EarlyStopper(EarlyStopping config) : config_(config) {}

  /// Takes one validation pass into account; true when training should stop.
  bool observe(const Metrics& validation, const std::vector<double>& weights);

  /// The weights of the best pass so far; empty before the first.
  const std::vector<double>& best_weights() const { return state_.best_weights; }

  const EarlyStopperState& state() const { return state_; }
  void restore(EarlyStopperState state) { state_ = std::move(state); }

 private:
  EarlyStopping config_;
  EarlyStopperState state_;
};

}  // namespace ossau
