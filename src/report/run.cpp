#include "report/run.hpp"

#include <filesystem>
#include <string>
#include <system_error>

#include "core/atomic_file.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"
#include "report/disk_space.hpp"
#include "report/metrics_json.hpp"
#include "report/metrics_log.hpp"
#include "report/observers.hpp"
#include "report/run_directory.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/model.hpp"
#include "train/resume.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

TrainingResult train_into(const RunDirectory& run, const Config& config,
                          const TrainFunction& trainer, TrainingObserver* watcher,
                          const Stopwatch& watch) {
  MetricsLog log(run.files.metrics);
  DiskSpaceCheck space(run.files.directory, *config.checkpoint.directory);
  Observers observers({&space, &log, watcher});
  TrainingResult result = trainer(config, observers);

  Summary& summary = result.summary;
  for (const std::string& warning : summary.warnings) log_warning(warning);
  summary.run_directory = run.results.directory.string();
  summary.model_sha256 = save_model(result.model, run.files.model);
  summary.time.total_s = watch.seconds();
  // Last: a directory with a summary is a finished run.
  write_file_atomically(run.files.summary, summary_text(summary));
  return result;
}

// What only an unfinished run needs.  The run is complete: trouble here is worth no more than a
// word.
void discard_checkpoints(const Config& config, const std::string& key) {
  const fs::path folder = checkpoint_directory(config);
  try {
    if (!key.empty()) remove_checkpoints(folder, key);
  } catch (const Error& error) {
    log_warning(error.what());
  }
  std::error_code ignored;  // another run's may be there
  if (!config.checkpoint.directory) fs::remove(folder, ignored);
}

}  // namespace

TrainingResult run_and_record(const Config& config, const TrainFunction& trainer,
                              TrainingObserver* watcher) {
  const Stopwatch watch;
  // Before any data is read: a run that may not be written should fail in its first second.
  require_resume_path(config.checkpoint);
  if (config.training.init) (void)load_model(*config.training.init);
  const RunDirectory run = prepare_run_directory(config);
  Config placed = config;
  placed.checkpoint.directory = checkpoint_directory(config).string();
  TrainingResult result;
  try {
    result = train_into(run, placed, trainer, watcher, watch);
  } catch (...) {
    discard_results(run);
    throw;
  }
  publish(run);  // not discarded where it fails: the old run is gone by then
  discard_checkpoints(config, result.checkpoint_key);
  return result;
}

}  // namespace ossau
