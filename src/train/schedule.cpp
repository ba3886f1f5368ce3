#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "arith/elementary.hpp"

namespace ossau {
namespace {

// Below this a is folded into v: far from any loss of precision, rarely reached.
constexpr double kSmallestScale = 1.0 / 256;

}  // namespace

double safe_learning_rate(double lipschitz, const Penalty& penalty) {
  const double curvature = lipschitz + penalty.l2 + penalty.pseudo_huber / penalty.delta;
  // Rows of zeros without an intercept leave nothing to learn, at any rate.
  if (!(curvature > 0)) return 1.0;
  return 1.0 / (curvature * (1.0 + 0x1p-30));
}

LearningRates::LearningRates(const OptimizerConfig& config, double first,
                             std::int64_t steps_per_epoch, std::int64_t epochs)
    : config_(config),
      first_(first),
      steps_per_epoch_(steps_per_epoch),
      total_steps_(steps_per_epoch * epochs) {}

double LearningRates::scheduled(std::int64_t step) const {
  const double epochs_passed = static_cast<double>(step) / static_cast<double>(steps_per_epoch_);
  switch (config_.schedule) {
    case Schedule::kConstant:
      return first_;
    case Schedule::kInverse:
      return first_ / (1.0 + config_.decay * epochs_passed);
    case Schedule::kInverseSqrt:
      return first_ / std::sqrt(1.0 + config_.decay * epochs_passed);
    case Schedule::kCosine: {
      const double t = static_cast<double>(step) / static_cast<double>(total_steps_);
      const double share = 0.5 * (1.0 + cos_pi(t));
      return first_ * (config_.final_fraction + (1.0 - config_.final_fraction) * share);
    }
    case Schedule::kStep:
      return first_ *
             integer_power(config_.step_factor, step / steps_per_epoch_ / config_.step_epochs);
  }
  return first_;
}

double LearningRates::at(std::int64_t step) const {
  const double rate = scheduled(step);
  if (step >= config_.warmup_steps) return rate;
  return rate * (static_cast<double>(step + 1) / static_cast<double>(config_.warmup_steps));
}

void ScaleSequence::advance(StepParameters& step) {
  const double reached = scale_ * (1.0 - step.rate * l2_);
  step.fold = std::fabs(reached) < kSmallestScale;
  step.fold_factor = reached;
  step.scale = step.fold ? 1.0 : reached;
  scale_ = step.scale;
}

}  // namespace ossau
