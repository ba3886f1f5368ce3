#pragma once

#include <cstdint>
#include <span>

#include "arguments.hpp"
#include "backend/backend.hpp"
#include "backend/cuda/runtime.hpp"

namespace ossau::cuda {

/// Weights, optimiser state and sums of one model on a device.
class ModelState {
 public:
  ModelState(const ModelSetup& setup, DeviceInfo device, StreamHandle stream);

  std::int64_t features() const { return model_.features; }
  UpdateRule rule() const { return rule_; }
  LossKind loss() const { return loss_; }
  SumLayout layout() const { return {features()}; }

  void set_weights(std::span<const double> weights);
  void get_weights(std::span<double> weights) const;
  ModelSnapshot snapshot() const;
  void restore(const ModelSnapshot& snapshot);
  void look_at(EvaluationPoint point);
  void adopt_evaluation_point();

  /// Zeroed unless the last update has used them up.
  void clear_sums();
  std::int64_t* sums() const { return sums_.data(); }
  /// Something has been added to the sums.
  void touch_sums() { sums_are_clear_ = false; }
  StepTotals totals() const;

  /// A pass at the evaluation point, without its slices.
  GradientPass pass(int fixed_bits) const;
  /// Room for the features that a pass touches; none where the rule has no use for it.
  TouchedList touched() const { return touched_; }

  double gradient_max(double gradient_factor, double rate);
  /// Queues an update.  touched: of the pass, or none.  `scale` of the step is remembered.
  void update(const UpdateStep& step, const TouchedList& touched);
  /// The scale after steps whose parameters were on the device.
  void set_scale(double scale) { scale_ = scale; }
  OptimizerView view() const;

 private:
  // Where gradients are taken, [d + 1].
  const double* evaluation_weights() const;

  LossKind loss_;
  ModelRule model_;
  UpdateRule rule_;
  RuleTraits traits_;
  DeviceInfo device_;
  StreamHandle stream_;
  DeviceArray<double> powers_;  // empty: all 1
  DeviceArray<double> weights_;
  DeviceArray<double> states_;  // see OptimizerView
  DeviceArray<double> proposal_;
  DeviceArray<double> chunk_sums_;
  DeviceArray<std::uint32_t> blocks_done_;
  DeviceArray<float> scoring_;
  DeviceArray<ScoringScalars> scalars_;
  DeviceArray<std::int64_t> sums_;  // SumLayout
  DeviceArray<std::uint32_t> touched_features_;
  DeviceArray<std::uint32_t> touched_count_;
  TouchedList touched_;
  DeviceArray<unsigned long long> largest_;
  // What the host reads.
  PinnedArray<StepTotals> totals_;
  PinnedArray<unsigned long long> largest_read_;
  bool sums_are_clear_ = false;
  double scale_ = 1;  // of rules that keep w = a v: a
  EvaluationPoint point_ = EvaluationPoint::kRule;
};

}  // namespace ossau::cuda
