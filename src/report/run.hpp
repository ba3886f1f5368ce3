#pragma once

#include <functional>
#include <iosfwd>

#include "comm/communicator.hpp"
#include "ossau/config.hpp"
#include "ossau/summary.hpp"
#include "train/observer.hpp"
#include "train/training.hpp"

namespace ossau {

/// What trains: run_training, or a test's stand-in.
using TrainFunction = std::function<TrainingResult(const Config&, TrainingObserver&)>;

/// Prepares the run directory, trains, from a checkpoint where there is one that serves, and writes
/// metrics, model and summary into it. watcher: also told of the training; may be null. Returns the
/// model and the whole summary.  Throws what the trainer throws, ConfigError for a directory that
/// holds a finished run or that another run is writing to, DeviceError where a file cannot be
/// written; then the directory holds no model and no summary, or still the finished run that was to
/// be overwritten.  Checkpoints stay, to go on from, until a run is finished.
TrainingResult run_and_record(const Config& config, const TrainFunction& trainer,
                              TrainingObserver* watcher);

/// The same for one of a job's processes, see join_job(); null: there are no others.  Rank 0
/// records, and the others return once it has; where one fails, all do.
TrainingResult train_in_job(const Config& config, Communicator* job, TrainingObserver* watcher);

/// train() as a program does it: progress on standard error, the final table on `out`; from the
/// first step on SIGINT, SIGTERM and SIGUSR1 end it with a checkpoint and Interrupted.
Summary train_and_show(const Config& config, std::ostream& out);

}  // namespace ossau
