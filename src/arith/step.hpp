#pragma once

#include <cstddef>
#include <cstdint>

// What hosts and devices tell each other of a training step.

namespace ossau {

/// What changes from step to step; computed on the host from the step's number alone.
struct StepParameters {
  double rate = 0;             // learning rate
  double gradient_factor = 0;  // see mean_gradient()
  // Of rules that keep w = a v (docs/sparse_updates.md).
  double scale = 1;        // a after this step
  bool fold = false;       // first v <- a v, with the a that this step would reach; then a = 1
  double fold_factor = 1;  // that a
  // Of rules that prepare() a step.
  double corrections[2] = {1, 1};
};

/// Totals of a gradient pass that are not gradients.
struct StepTotals {
  std::int64_t loss_floors = 0;     // sum of floor(loss)
  std::int64_t loss_fractions = 0;  // sum of the rest, times 2^32
  std::int64_t not_finite = 0;      // scores that were infinite or NaN, replaced by 0
  std::int64_t clamped = 0;         // losses above 2^31, clamped
};

/// Layout of the sums of a pass: d features, the intercept, then the totals.
struct SumLayout {
  std::int64_t features = 0;

  std::size_t intercept() const { return static_cast<std::size_t>(features); }
  std::size_t totals() const { return static_cast<std::size_t>(features) + 1; }
  std::size_t size() const { return static_cast<std::size_t>(features) + 1 + kTotals; }

  static constexpr std::size_t kTotals = 4;
};

}  // namespace ossau
