#include "report/metrics_json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/samples.hpp"

namespace ossau {
namespace {

using nlohmann::json;

TEST(EpochLine, HoldsTheFieldsInOrderWithTimesLast) {
  EXPECT_EQ(epoch_line(test::sample_epoch(3)),
            R"({"epoch":3,"steps":96,"learning_rate":0.1,"log_loss":0.5,)"
            R"("elapsed_s":0.75,"rows_per_second":1234567.0})");
}

TEST(EpochLine, HoldsGradientAndValidationWhereTheyWereMeasured) {
  EpochReport report = test::sample_epoch(1);
  report.gradient_max = 1e-300;
  report.validation = test::one_class_metrics();
  const json line = json::parse(epoch_line(report));
  EXPECT_EQ(line.at("gradient_max"), 1e-300);
  EXPECT_EQ(line.at("validation").at("log_loss"), 0.25);
  EXPECT_TRUE(line.at("validation").at("auc").is_null()) << "one class has no AUC";
  EXPECT_EQ(line.at("validation").at("confusion").at("true_negatives"), 2200);
}

TEST(EpochLine, OfASolverHoldsItsIterationPassesAndGap) {
  EXPECT_EQ(epoch_line(test::sample_iteration(3)),
            R"({"iteration":3,"passes":1200,"log_loss":0.5,"gap":0.0009765625,)"
            R"("gradient_max":0.125,"elapsed_s":0.75,"rows_per_second":1234567.0})");
}

TEST(EpochLine, NumbersReadBackAsTheSameBits) {
  EpochReport report = test::sample_epoch(1);
  for (const double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 0.30000000000000004}) {
    report.log_loss = value;
    EXPECT_EQ(json::parse(epoch_line(report)).at("log_loss").get<double>(), value);
  }
}

TEST(SummaryText, IsGoldenJson) {
  Summary summary = test::sample_summary();
  summary.validation.reset();
  EXPECT_EQ(summary_text(summary), R"({
  "exact": 1,
  "rows": 2666,
  "features": 4,
  "validation_rows": 667,
  "layout": "dense",
  "method": "sgd",
  "epochs": 20,
  "steps": 60,
  "stop_reason": "epochs",
  "learning_rate": 0.0625,
  "nonzero_weights": 3,
  "train": {
    "objective": 0.3125,
    "log_loss": 0.25,
    "accuracy": 0.861234,
    "auc": 0.9,
    "gradient_max": 1.25e-05,
    "confusion": {
      "true_positives": 136,
      "false_positives": 80,
      "true_negatives": 2200,
      "false_negatives": 250
    }
  },
  "validation": null,
  "time": {
    "read_s": 0.125,
    "train_s": 75.0,
    "evaluate_s": 0.5,
    "total_s": 75.625
  },
  "speed": {
    "entries": 10664,
    "passes": 20.0,
    "entries_per_second": 2843.733333333333,
    "bare_pass_s": 1.5,
    "floor_s": 30.0,
    "ceiling_share": 0.4,
    "communication_s": 7.5
  },
  "model_sha256": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "run_directory": "runs/quickstart",
  "warnings": []
}
)");
}

TEST(SummaryText, SaysHowFarASolverCameAndWhetherThatIsProved) {
  Summary summary = test::solved_summary();
  const json proved = json::parse(summary_text(summary));
  EXPECT_EQ(proved.at("method"), "gram_lbfgs");
  EXPECT_EQ(proved.at("converged"), true);
  EXPECT_EQ(proved.at("certified_gap"), 3.125e-7);
  EXPECT_FALSE(proved.contains("estimated_gap"));
  EXPECT_EQ(proved.at("passes"), 1010);
  EXPECT_EQ(proved.at("gram_passes"), 2);
  summary.convergence->certified = false;
  summary.convergence->gap = std::numeric_limits<double>::infinity();
  const json unknown = json::parse(summary_text(summary));
  EXPECT_FALSE(unknown.contains("certified_gap"));
  EXPECT_TRUE(unknown.at("estimated_gap").is_null()) << "JSON has no infinity";
  EXPECT_FALSE(json::parse(summary_text(test::sample_summary())).contains("converged"));
}

TEST(SummaryText, HoldsTheValidationLikeTheTraining) {
  const json summary = json::parse(summary_text(test::sample_summary()));
  EXPECT_EQ(summary.at("validation").at("objective"), 0.3125);
  EXPECT_TRUE(summary.at("validation").at("auc").is_null());
}

TEST(SummaryText, SaysWhereARunWentOnIfItDid) {
  Summary summary = test::sample_summary();
  EXPECT_FALSE(json::parse(summary_text(summary)).contains("resumed_from_step"));
  summary.resumed_from_step = 17;
  EXPECT_EQ(json::parse(summary_text(summary)).at("resumed_from_step"), 17);
}

TEST(SummaryText, SurvivesADirectoryThatIsNotUtf8) {
  Summary summary = test::sample_summary();
  summary.run_directory = "runs/\xe9t\xe9";
  EXPECT_TRUE(json::accept(summary_text(summary)));
}

}  // namespace
}  // namespace ossau
