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
      best_ ? std::max(config_.min_delta, kLeastRelativeGain * std::fabs(*best_)) : 0;
  if (!best_ || now > *best_ + gain) {
    best_ = now;
    best_weights_ = weights;
    passes_without_gain_ = 0;
    return false;
  }
  ++passes_without_gain_;
  return passes_without_gain_ >= config_.patience;
}

}  // namespace ossau
