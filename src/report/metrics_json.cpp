#include "report/metrics_json.hpp"

namespace ossau {

using nlohmann::ordered_json;

namespace {

ordered_json speed_json(const Summary& summary) {
  const Speed& speed = summary.speed;
  return {{"entries", speed.entries},
          {"passes", speed.passes},
          {"entries_per_second", entries_per_second(summary)},
          {"bare_pass_s", speed.bare_pass_s},
          {"floor_s", speed.floor_s},
          {"ceiling_share", speed.ceiling_share},
          {"communication_s", speed.communication_s}};
}

}  // namespace

double entries_per_second(const Summary& summary) {
  return summary.speed.passes * static_cast<double>(summary.speed.entries) / summary.time.train_s;
}

ordered_json metrics_json(const Metrics& metrics) {
  return {{"objective", metrics.objective},
          {"log_loss", metrics.log_loss},
          {"accuracy", metrics.accuracy},
          {"auc", metrics.auc},
          {"gradient_max", metrics.gradient_max},
          {"confusion",
           {{"true_positives", metrics.true_positives},
            {"false_positives", metrics.false_positives},
            {"true_negatives", metrics.true_negatives},
            {"false_negatives", metrics.false_negatives}}}};
}

std::string epoch_line(const EpochReport& report) {
  ordered_json line;
  if (report.passes) {
    line = {{"iteration", report.epoch},
            {"passes", *report.passes},
            {"log_loss", report.log_loss},
            {"gap", *report.gap}};
  } else {
    line = {{"epoch", report.epoch},
            {"steps", report.steps},
            {"learning_rate", report.learning_rate},
            {"log_loss", report.log_loss}};
  }
  if (report.gradient_max) line["gradient_max"] = *report.gradient_max;
  if (report.validation) line["validation"] = metrics_json(*report.validation);
  line["elapsed_s"] = report.elapsed_s;
  line["rows_per_second"] = report.rows_per_second;
  return line.dump();
}

std::string summary_text(const Summary& summary) {
  constexpr int kIndent = 2;
  ordered_json json = {
      {"exact", summary.exact},
      {"rows", summary.rows},
      {"features", summary.features},
      {"validation_rows", summary.validation_rows},
      {"layout", summary.layout},
      {"method", summary.method},
      {"epochs", summary.epochs},
      {"steps", summary.steps},
      {"stop_reason", summary.stop_reason},
      {"learning_rate",
       summary.learning_rate > 0 ? ordered_json(summary.learning_rate) : ordered_json()},
      {"nonzero_weights", summary.nonzero_weights},
      {"train", metrics_json(summary.train)},
      {"validation", summary.validation ? metrics_json(*summary.validation) : ordered_json()},
      {"time",
       {{"read_s", summary.time.read_s},
        {"train_s", summary.time.train_s},
        {"evaluate_s", summary.time.evaluate_s},
        {"total_s", summary.time.total_s}}},
      {"speed", speed_json(summary)},
      {"model_sha256", summary.model_sha256},
      {"run_directory", summary.run_directory},
      {"warnings", summary.warnings}};
  if (summary.convergence) {
    const Convergence& reached = *summary.convergence;
    json["converged"] = reached.converged;
    json[reached.certified ? "certified_gap" : "estimated_gap"] = reached.gap;
    json["passes"] = reached.passes;
    json["gram_passes"] = reached.gram_passes;
  }
  if (summary.resumed_from_step) json["resumed_from_step"] = *summary.resumed_from_step;
  return json.dump(kIndent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace ossau
