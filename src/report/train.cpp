#include <exception>
#include <memory>
#include <optional>
#include <ostream>

#include "comm/communicator.hpp"
#include "config/check.hpp"
#include "core/interruption.hpp"
#include "ossau/ossau.hpp"
#include "report/final_table.hpp"
#include "report/observers.hpp"
#include "report/progress.hpp"
#include "report/run.hpp"
#include "train/job.hpp"

namespace ossau {
namespace {

// Before the first step there is nothing to keep, and a signal ends the process as ever.
class InterruptionWatch final : public TrainingObserver {
 public:
  void on_start(const TrainingStart&) override { handlers_.emplace(); }
  void on_epoch(const EpochReport&) override {}

 private:
  std::optional<InterruptionHandlers> handlers_;
};

}  // namespace

TrainingResult train_in_job(const Config& config, Communicator* job, TrainingObserver* watcher) {
  const TrainFunction trainer = [job](const Config& given, TrainingObserver& observer) {
    return run_training(given, observer, job);
  };
  if (job == nullptr) return run_and_record(config, trainer, watcher);
  try {
    Observers told({watcher});
    TrainingResult result =
        leads(job) ? run_and_record(config, trainer, watcher) : trainer(config, told);
    job->set_position({.phase = "end"});
    job->barrier("results");  // they are on disk
    return result;
  } catch (const Interrupted&) {
    throw;  // all ranks do
  } catch (const std::exception& error) {
    abort(*job, error);
    throw;
  }
}

Summary train(const Config& config) {
  validate_config(config);  // it may have been made in code
  const std::unique_ptr<Communicator> job = join_job(config);
  return train_in_job(config, job.get(), nullptr).summary;
}

Summary train_and_show(const Config& config, std::ostream& out) {
  // It outlives the job: taking leave of the others takes a moment, in which a signal that another
  // rank has long obeyed must not be deadly.
  InterruptionWatch watch;
  const std::unique_ptr<Communicator> job = join_job(config);
  Progress progress(standard_error_progress(config.run.log_every_s));
  Observers watchers({leads(job.get()) ? &progress : nullptr, &watch});
  TrainingResult result = train_in_job(config, job.get(), &watchers);
  progress.finish();
  if (leads(job.get())) out << final_table(result.summary, result.model);
  return result.summary;
}

}  // namespace ossau
