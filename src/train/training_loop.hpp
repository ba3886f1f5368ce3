#pragma once

#include <vector>

#include "ossau/summary.hpp"
#include "train/checkpoints.hpp"
#include "train/observer.hpp"
#include "train/training_state.hpp"

namespace ossau {

/// One rank's training, from the first pass to the final weights.
class TrainingLoop {
 public:
  virtual ~TrainingLoop() = default;

  /// Has checkpoints written, on every rank; must outlive this.
  virtual void keep_checkpoints(Checkpoints& checkpoints) = 0;
  /// Goes on from a state of this training, on every rank, instead of from the beginning; tells the
  /// observer.  Throws DataError where it cannot be one.
  virtual void resume(Resumption from) = 0;

  /// Trains, then evaluates at the final weights.  Collective; every rank returns the same, times
  /// apart.  Fills method, epochs, steps, stop_reason, convergence, metrics, train_s, evaluate_s
  /// and all of speed but entries.
  virtual Summary train() = 0;

  /// The final weights [d + 1], intercept last.
  virtual const std::vector<double>& weights() const = 0;

  /// What the method adds to the start's announcement.
  virtual void describe(TrainingStart& start) const = 0;
};

}  // namespace ossau
