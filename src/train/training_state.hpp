#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "solve/solver.hpp"
#include "train/early_stopping.hpp"
#include "train/observer.hpp"

namespace ossau {

/// Where a training is between two steps.
struct TrainingPosition {
  std::int64_t epoch = 0;  // finished: the number of the one that is being taken, from 0
  std::int64_t step = 0;   // of this epoch that are done; all of them: its end is still to come
  std::int64_t steps = 0;  // since the start
  std::int64_t rows_visited = 0;
  StepTotals epoch_totals;             // of this epoch's steps
  double last_rate = 0;                // learning rate of the last step
  std::optional<double> gradient_max;  // full batch: of the last step

  // Seconds since the first step, those before an interruption included; outside the bit promise.
  double elapsed_s = 0;
  double evaluate_s = 0;
  double communication_s = 0;
  double epoch_started_s = 0;
};

/// All that a training needs to go on as if it had never been interrupted.
struct TrainingState {
  TrainingPosition position;
  ModelSnapshot model;
  std::optional<EarlyStopperState> early_stopper;
  std::optional<SolverState> solver;  // instead of a model, of trainings by a solver
  std::vector<EpochReport> reports;   // of the finished epochs
};

/// A state and where it came from.
struct Resumption {
  std::string file;
  TrainingState state;
};

}  // namespace ossau
