#include "train/early_stopping.hpp"

#include <algorithm>
#include <cmath>

namespace ossau {
namespace {

// Two metrics closer than this, relatively, are never told apart.
constexpr double kLeastRelativeGain = 1e-6;

double goodness(const Metrics& metrics, Metric metric) {
  switch (metric) {
    case Metric::kObjective:
      return -metrics.objective;
    case Metric::kLogLoss:
      return -metrics.log_loss;
    case Metric::kAccuracy:
      return metrics.accuracy;
    case Metric::kAuc:
      return metrics.auc;
  }
  return 0;
}

}  // namespace

bool EarlyStopper::observe(const Metrics& validation, const std::vector<double>& weights) {
  const double now = goodness(validation, config_.metric);
  const double gain =
      state_.best ? std::max(config_.min_delta, kLeastRelativeGain * std::fabs(*state_.best)) : 0;
  if (!state_.best || now > *state_.best + gain) {
    state_.best = now;
    state_.best_weights = weights;
    state_.passes_without_gain = 0;
    return false;
  }
  ++state_.passes_without_gain;
  return state_.passes_without_gain >= config_.patience;
}

}  // namespace ossau
