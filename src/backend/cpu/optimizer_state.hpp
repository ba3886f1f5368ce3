#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cpu/gradient_sums.hpp"
#include "backend/cpu/kernels.hpp"
#include "core/aligned.hpp"
#include "core/thread_pool.hpp"

namespace ossau {

/// Weights and optimiser state of one model on the CPU, and the update rules.
class OptimizerState {
 public:
  OptimizerState(ModelSetup setup, ThreadPool& pool);

  void set_weights(std::span<const double> weights);
  void get_weights(std::span<double> weights) const;
  ModelSnapshot snapshot() const;
  void restore(const ModelSnapshot& snapshot);
  void look_at(EvaluationPoint point);
  void adopt_evaluation_point();

  /// The weights that score rows at the evaluation point.
  ScoringWeights scoring() const;

  double gradient_max(const std::int64_t* sums, double factor, double rate);
  void update(GradientSums& sums, const StepParameters& step);

 private:
  std::int64_t features() const { return static_cast<std::int64_t>(scoring_.size()); }
  double exponent_power(std::int64_t j) const;
  double loss_gradient(const std::int64_t* sums, double factor, std::int64_t j) const;
  double gradient(const std::int64_t* sums, double factor, std::int64_t j, double at) const;
  double point(std::int64_t j) const;
  void refresh_scoring(std::int64_t begin, std::int64_t end, std::span<const double> from);

  void descent(const std::int64_t* sums, const StepParameters& step);
  void momentum(const std::int64_t* sums, const StepParameters& step);
  void accelerated(const std::int64_t* sums, const StepParameters& step);
  void scaled(const std::int64_t* sums, const StepParameters& step);
  void scaled_touched(GradientSums& sums, const StepParameters& step);
  void scale_intercept(std::int64_t sum, const StepParameters& step);
  bool looks_ahead() const;
  double propose(const std::int64_t* sums, const StepParameters& step);
  double adaptive_momentum(double slope);

  // On a cache line of its own.
  struct alignas(kAlignment) ThreadMaximum {
    double value = 0;
  };

  ModelSetup setup_;
  ModelRule model_;
  ThreadPool& pool_;
  bool unit_powers_;                   // every exponent_power is 1
  AlignedVector<double> weights_;      // [d + 1], intercept last; kScaled: v
  AlignedVector<double> velocity_;     // kMomentum: [d + 1]
  AlignedVector<double> lookahead_;    // kNesterov, kAdaptive: [d + 1], where gradients are taken
  AlignedVector<double> proposal_;     // kNesterov, kAdaptive: [d + 1], the next weights
  std::vector<double> chunk_sums_;     // kNesterov, kAdaptive: [chunks of features]
  std::vector<ThreadMaximum> maxima_;  // [threads]
  double nesterov_t_ = 1;              // kAdaptive
  double scale_ = 1;                   // kScaled: a
  EvaluationPoint point_ = EvaluationPoint::kRule;
  AlignedVector<float> scoring_;  // [d]
  float scoring_intercept_ = 0;
};

}  // namespace ossau
