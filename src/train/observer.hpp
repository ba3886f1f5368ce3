#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ossau/summary.hpp"

namespace ossau {

/// What is known before the first step.
struct TrainingStart {
  std::int64_t rows = 0;
  std::int64_t validation_rows = 0;
  std::int64_t features = 0;
  std::string layout;  // "dense" or "sparse"
  std::string device;  // for example "cpu"
  std::string simd;    // for example "avx512"
  std::int64_t ranks = 1;
  std::int64_t threads = 1;  // per rank
  std::int64_t epochs = 0;   // at most
  std::int64_t steps_per_epoch = 0;
  std::int64_t batch_size = 0;  // rows, `all` resolved
  double learning_rate = 0;     // `auto` resolved
  std::string method = "sgd";   // `auto` resolved
  bool solves = false;          // the method is a solver: no epochs, batches and rates
};

/// One finished epoch.  Every field but the last two is part of the bit promise.
struct EpochReport {
  std::int64_t epoch = 0;    // 1, 2, ...
  std::int64_t steps = 0;    // since the start
  double learning_rate = 0;  // of the epoch's last step
  double log_loss = 0;       // mean over the epoch's rows, each at the weights of its step
  std::optional<double> gradient_max;  // full batch, or with a tolerance; at the rule's point
  std::optional<Metrics> validation;   // where this epoch had a validation pass
  std::optional<std::int64_t> passes;  // of a solver, whose epochs are iterations
  std::optional<double> gap;           // see Convergence
  double elapsed_s = 0;                // since the first step
  double rows_per_second = 0;          // of this epoch
};

/// Where a training goes on that was interrupted.
struct ResumePoint {
  std::string file;        // the checkpoint
  std::int64_t epoch = 0;  // 1, 2, ...: the one that goes on
  std::int64_t step = 0;   // of it that are done
};

/// Told of a training as it goes; called on rank 0 only, between steps, so it must be quick.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void on_start(const TrainingStart& start) = 0;
  /// After on_start, where the training does not begin but goes on.  reports: of the epochs that
  /// were finished before, which on_epoch() will not tell of.
  virtual void on_resume(const ResumePoint& /*from*/, const std::vector<EpochReport>& /*reports*/) {
  }
  virtual void on_epoch(const EpochReport& report) = 0;
};

}  // namespace ossau
