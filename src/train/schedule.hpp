#pragma once

#include <cstdint>

#include "backend/backend.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// 1 / L, with L an upper bound of the objective's curvature: steps of this size never diverge.
/// lipschitz: of the mean loss.  Rounding is covered by a factor 1 + 2^-30.
double safe_learning_rate(double lipschitz, const Penalty& penalty);

/// The learning rate of every step, made on the host from the step's number alone.
class LearningRates {
 public:
  LearningRates(const OptimizerConfig& config, double first, std::int64_t steps_per_epoch,
                std::int64_t epochs);

  double first() const { return first_; }

  /// The rate of a step counted from the training's start.
  double at(std::int64_t step) const;

 private:
  double scheduled(std::int64_t step) const;

  OptimizerConfig config_;
  double first_;
  std::int64_t steps_per_epoch_;
  std::int64_t total_steps_;
};

/// The sequence a of rules that keep w = a v (docs/sparse_updates.md).
class ScaleSequence {
 public:
  explicit ScaleSequence(double l2) : l2_(l2) {}

  /// Fills scale, fold and fold_factor of the next step, whose rate is set.
  void advance(StepParameters& step);

  /// Goes on after a step that left this scale.
  void resume(double scale) { scale_ = scale; }

 private:
  double l2_;
  double scale_ = 1;
};

}  // namespace ossau
