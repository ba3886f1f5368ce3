#pragma once

#include <functional>
#include <iosfwd>

#include "ossau/config.hpp"
#include "ossau/summary.hpp"
#include "train/observer.hpp"
#include "train/training.hpp"

namespace ossau {

/// What trains: run_training, or a test's stand-in.
using TrainFunction = std::function<TrainingResult(const Config&, TrainingObserver&)>;

/// Prepares the run directory, trains, and writes metrics, model and summary into it.
/// watcher: also told of the training; may be null.
/// Returns the model and the whole summary.  Throws what the trainer throws, ConfigError for a
/// directory that holds a finished run or that another run is writing to, DeviceError where a file
/// cannot be written; then the directory holds no model and no summary, or still the finished run
/// that was to be overwritten.
TrainingResult run_and_record(const Config& config, const TrainFunction& trainer,
                              TrainingObserver* watcher);

/// train() as a program does it: progress on standard error, the final table on `out`.
Summary train_and_show(const Config& config, std::ostream& out);

}  // namespace ossau
