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

/// Weights and optimiser state of one model on the CPU, and the loops over update rules.
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
  template <class R>
  struct Mover;

  std::int64_t features() const { return static_cast<std::int64_t>(scoring_.size()); }
  double exponent_power(std::int64_t j) const;
  const AlignedVector<double>& evaluation_weights() const;
  void refresh_scoring(std::int64_t begin, std::int64_t end, std::span<const double> from);

  // R: a struct of arith/rules/.
  template <class R>
  void move_all(const std::int64_t* sums, const StepParameters& step);
  template <class R>
  void move_touched(GradientSums& sums, const StepParameters& step);
  template <class R>
  void move_intercept(const Mover<R>& mover, std::int64_t sum);
  template <class R>
  void move_by_slope(const std::int64_t* sums, const StepParameters& step);
  template <class R>
  double propose(const R& rule, const std::int64_t* sums);

  // On a cache line of its own.
  struct alignas(kAlignment) ThreadMaximum {
    double value = 0;
  };

  ModelSetup setup_;
  ModelRule model_;
  RuleTraits traits_;
  ThreadPool& pool_;
  bool unit_powers_;                           // every exponent_power is 1
  AlignedVector<double> weights_;              // [d + 1], intercept last; v where w = a v
  std::vector<AlignedVector<double>> states_;  // of the rule, each [d + 1]
  AlignedVector<double> proposal_;             // for a slope: [d + 1], the next weights
  std::vector<double> chunk_sums_;             // for a slope: [chunks of features]
  std::vector<ThreadMaximum> maxima_;          // [threads]
  double nesterov_t_ = 1;
  double scale_ = 1;  // a
  EvaluationPoint point_ = EvaluationPoint::kRule;
  AlignedVector<float> scoring_;  // [d]
  float scoring_intercept_ = 0;
};

}  // namespace ossau
