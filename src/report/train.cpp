#include <ostream>

#include "config/check.hpp"
#include "ossau/ossau.hpp"
#include "report/final_table.hpp"
#include "report/progress.hpp"
#include "report/run.hpp"

namespace ossau {

Summary train(const Config& config) {
  validate_config(config);  // it may have been made in code
  return run_and_record(config, run_training, nullptr).summary;
}

Summary train_and_show(const Config& config, std::ostream& out) {
  Progress progress(standard_error_progress(config.run.log_every_s));
  TrainingResult result = run_and_record(config, run_training, &progress);
  progress.finish();
  out << final_table(result.summary, result.model);
  return result.summary;
}

}  // namespace ossau
