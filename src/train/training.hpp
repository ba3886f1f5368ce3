#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "backend/backend.hpp"
#include "comm/communicator.hpp"
#include "core/rank.hpp"
#include "ossau/config.hpp"
#include "ossau/summary.hpp"
#include "train/model.hpp"
#include "train/observer.hpp"
#include "train/preparation.hpp"

namespace ossau {

struct TrainingResult {
  Model model;
  Summary summary;  // without model_sha256 and run_directory
  // Of the checkpoints that it has left: they serve no more once this is saved; empty: none.
  std::string checkpoint_key = {};
};

/// Who makes a rank's backend; see make_backend().
using BackendMaker = std::function<std::unique_ptr<Backend>(const RunConfig& config, RankInfo rank,
                                                            std::int64_t threads, BackendRows rows,
                                                            ModelSetup setup)>;

/// One rank of a training, from rows in memory to a model: what the others below end in.  The
/// backend takes the rows.  observer: null on every rank but 0.
TrainingResult train_rows(const Config& config, PreparedData& prepared, const Schema& schema,
                          Communicator& communicator, const BackendMaker& make,
                          TrainingObserver* observer);

/// Reads the data of `config`, trains, evaluates at the final weights and returns the result.
/// observer: told of the start, in every process, and of every epoch, on rank 0.  Writes no file
/// but checkpoints, where checkpoint.directory is given; without it an interruption is not heeded.
/// processes: ties this process to the others of its job, see join_job(); null: it has none, and
/// starts run.ranks by itself.  Every process of a job gets the same model.
/// Throws ConfigError, DataError, DeviceError, CommError or Interrupted.
TrainingResult run_training(const Config& config, TrainingObserver& observer,
                            Communicator* processes = nullptr);
/// run_training() on backends that `config` may not know how to ask for.
TrainingResult run_training_on(const BackendMaker& make, const Config& config,
                               TrainingObserver& observer, Communicator* processes = nullptr);
/// The part of one process of a job, or of a thread that stands for one: reads and keeps only its
/// own rows, and trains them together with the others.  All return the same model.
/// config: what choose_devices() returned.  observer: see run_training().
/// Throws as run_training() does; whoever catches that must abort `host`, or the others wait.
TrainingResult train_process_rank(const BackendMaker& make, const Config& config,
                                  Communicator& host, TrainingObserver& observer);

}  // namespace ossau
