#include "report/run.hpp"

#include <filesystem>

#include "core/atomic_file.hpp"
#include "core/clock.hpp"
#include "report/metrics_json.hpp"
#include "report/metrics_log.hpp"
#include "report/observers.hpp"
#include "report/run_directory.hpp"

namespace ossau {
namespace {

TrainingResult train_into(const RunDirectory& run, const Config& config,
                          const TrainFunction& trainer, TrainingObserver* watcher,
                          const Stopwatch& watch) {
  MetricsLog log(run.files.metrics);
  Observers observers({&log, watcher});
  TrainingResult result = trainer(config, observers);

  Summary& summary = result.summary;
  summary.run_directory = run.results.directory.string();
  summary.model_sha256 = save_model(result.model, run.files.model);
  summary.time.total_s = watch.seconds();
  // Last: a directory with a summary is a finished run.
  write_file_atomically(run.files.summary, summary_text(summary));
  return result;
}

}  // namespace

TrainingResult run_and_record(const Config& config, const TrainFunction& trainer,
                              TrainingObserver* watcher) {
  const Stopwatch watch;
  // Before any data is read: a run that may not be written should fail in its first second.
  const RunDirectory run = prepare_run_directory(config);
  TrainingResult result;
  try {
    result = train_into(run, config, trainer, watcher, watch);
  } catch (...) {
    discard_results(run);
    throw;
  }
  publish(run);  // not discarded where it fails: the old run is gone by then
  return result;
}

}  // namespace ossau
