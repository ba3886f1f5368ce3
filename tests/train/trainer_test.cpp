#include "train/trainer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>

#include "support/log_capture.hpp"
#include "train/training_samples.hpp"

namespace ossau::test {
namespace {

TEST(Training, TellsOfItsStartAndOfEveryEpoch) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 250}));
  config.data.validation_fraction = 0.2;
  config.training.epochs = 3;
  config.run.ranks = 2;
  RecordingObserver observer;
  const TrainingResult result = run_training(config, observer);
  ASSERT_EQ(observer.starts.size(), 1u);
  EXPECT_EQ(observer.starts[0].rows, 200);
  EXPECT_EQ(observer.starts[0].validation_rows, 50);
  EXPECT_EQ(observer.starts[0].steps_per_epoch, 2);
  ASSERT_EQ(observer.epochs.size(), 3u);
  EXPECT_EQ(observer.epochs[2].steps, 6);
  EXPECT_EQ(result.summary.steps, 6);
  EXPECT_EQ(result.summary.stop_reason, "epochs");
  EXPECT_EQ(observer.epochs[2].validation->log_loss, result.summary.validation->log_loss);
}

TEST(Training, EvaluatesAsSeldomAsAskedAndAtTheEnd) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 250}));
  config.data.validation_fraction = 0.2;
  config.training.epochs = 5;
  config.training.evaluate_every = 2;
  RecordingObserver observer;
  run_training(config, observer);
  std::vector<bool> validated;
  for (const EpochReport& report : observer.epochs) {
    validated.push_back(report.validation.has_value());
  }
  EXPECT_EQ(validated, (std::vector<bool>{false, true, false, true, true}));
}

TEST(Training, StopsAtTheToleranceWithThatGradient) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 400}));
  config.model.l2 = 0.01;
  config.optimizer.restart = Restart::kAdaptive;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.epochs = 2000;
  config.training.tolerance = 1e-5;
  for (const double l1 : {0.0, 0.02}) {
    config.model.l1 = l1;
    const Summary summary = train_quietly(config).summary;
    EXPECT_EQ(summary.stop_reason, "tolerance");
    EXPECT_LT(summary.epochs, 500);
    EXPECT_LE(summary.train.gradient_max, 1e-5);
  }
}

TEST(Training, StopsMinibatchesAtTheToleranceToo) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 400}));
  config.model.l2 = 1;
  config.training.epochs = 200;
  config.training.tolerance = 0.02;
  const Summary summary = train_quietly(config).summary;
  EXPECT_EQ(summary.stop_reason, "tolerance");
  EXPECT_LE(summary.train.gradient_max, 0.02);
}

TEST(Training, SaysWhichShareOfTheCeilingItReached) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 400, .columns = 6}));
  config.training.batch_size = 30;
  config.training.epochs = 3;
  for (const std::int64_t ranks : {1, 2}) {
    config.run.ranks = ranks;
    const Summary summary = train_quietly(config).summary;
    const Speed& speed = summary.speed;
    EXPECT_EQ(speed.entries, summary.rows * 6);
    EXPECT_EQ(speed.passes, 3);
    EXPECT_GT(speed.bare_pass_s, 0);
    EXPECT_EQ(speed.floor_s, 3 * speed.bare_pass_s);
    EXPECT_EQ(speed.ceiling_share, speed.floor_s / summary.time.train_s);
    // Steps of 30 rows cost far more than reading them.
    EXPECT_LT(speed.ceiling_share, 1);
  }
}

TEST(Training, EndsEarlyAtTheBestValidationPass) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 300, .columns = 30}));
  config.data.validation_fraction = 0.3;
  config.training.epochs = 500;
  config.training.batch_size = 10;
  config.training.early_stopping = EarlyStopping{.metric = Metric::kLogLoss, .patience = 3};
  RecordingObserver observer;
  const Summary summary = run_training(config, observer).summary;
  EXPECT_EQ(summary.stop_reason, "early_stopping");
  EXPECT_LT(summary.epochs, 500);
  double best = 1e9;
  for (const EpochReport& report : observer.epochs) {
    best = std::min(best, report.validation->log_loss);
  }
  // The least loss, up to the gain that counts as none.
  EXPECT_NEAR(summary.validation->log_loss, best, 2e-6 * best);
}

TEST(Training, FindsZerosByL1AndNoneByItsSmoothStandIn) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 400, .columns = 20}));
  config.model.l1 = 0.05;
  config.optimizer.restart = Restart::kAdaptive;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.epochs = 300;
  const Summary proximal = train_quietly(config).summary;
  EXPECT_LT(proximal.nonzero_weights, 20);
  EXPECT_GT(proximal.nonzero_weights, 0);
  config.optimizer.l1_method = L1Method::kPseudoHuber;
  EXPECT_EQ(train_quietly(config).summary.nonzero_weights, 20);
}

TEST(Training, ReachesTheSameOptimumByEveryRule) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 400, .columns = 20}));
  config.model.l1 = 0.02;
  config.model.l2 = 0.01;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.epochs = 3000;
  config.training.tolerance = 1e-7;
  const auto objective = [&](const char* rule) {
    const Summary summary = train_quietly(config).summary;
    EXPECT_EQ(summary.stop_reason, "tolerance") << rule;
    return summary.train.objective;
  };
  const double descent = objective("descent");
  config.optimizer.momentum = 0.9;
  EXPECT_NEAR(objective("heavy ball"), descent, 1e-7);
  config.optimizer.nesterov = true;
  EXPECT_NEAR(objective("Nesterov"), descent, 1e-7);
  config.optimizer.momentum = 0;
  config.optimizer.nesterov = false;
  config.optimizer.restart = Restart::kAdaptive;
  EXPECT_NEAR(objective("adaptive"), descent, 1e-7);
}

TEST(Training, KeepsTheToleranceForWhatItSavesBesideEarlyStopping) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 300, .columns = 30}));
  config.data.validation_fraction = 0.3;
  config.model.l2 = 0.001;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.epochs = 5000;
  config.optimizer.restart = Restart::kAdaptive;
  config.training.tolerance = 1e-6;
  config.training.early_stopping = EarlyStopping{.metric = Metric::kLogLoss, .patience = 5000};
  const Summary summary = train_quietly(config).summary;
  EXPECT_EQ(summary.stop_reason, "tolerance");
  EXPECT_LE(summary.train.gradient_max, 1e-6);
}

TEST(Training, ReportsTheGradientOfTheEpochItBelongsTo) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 400}));
  config.training.tolerance = 1e-9;
  config.training.epochs = 3;
  RecordingObserver observer;
  const Summary summary = run_training(config, observer).summary;
  EXPECT_EQ(observer.epochs[2].gradient_max, summary.train.gradient_max);
  EXPECT_TRUE(observer.epochs[0].gradient_max.has_value());
}

// Columns are scaled by the training rows; a validation row may lie far outside.
TEST(Training, MeasuresTheGradientOfValidationRowsBeyondTheTrainingRange) {
  const TemporaryDirectory directory;
  Config config = small_config(directory.write("train.csv", "y,x\n0,0\n1,1\n0,0.5\n1,0.25\n"));
  config.data.validation = {directory.write("validation.csv", "y,x\n0,1000\n1,0.5\n").string()};
  config.data.standardize = AutoBool::kFalse;
  const TrainingResult result = train_quietly(config);
  const double w = result.model.weights[0];
  const double b = result.model.intercept;
  const auto p = [&](double x) { return 1 / (1 + std::exp(-(w * x + b))); };
  const double gradient = (1000 * p(1000) + 0.5 * (p(0.5) - 1)) / 2;
  EXPECT_NEAR(result.summary.validation->gradient_max, std::fabs(gradient), 1e-3);
}

TEST(Training, WithBalancedClassesCountsBothAlike) {
  const TemporaryDirectory directory;
  std::string text = "y,x\n";
  for (int i = 0; i < 100; ++i) text += i % 10 == 0 ? "yes,1\n" : "no,1\n";
  Config config = small_config(directory.write("skewed.csv", text));
  config.data.standardize = AutoBool::kFalse;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.epochs = 2000;
  config.optimizer.restart = Restart::kAdaptive;
  const auto probability = [&] {
    const Model model = train_quietly(config).model;
    return 1 / (1 + std::exp(-model.weights[0] - model.intercept));
  };
  EXPECT_NEAR(probability(), 0.1, 1e-4);
  config.model.class_weight.mode = ClassWeightMode::kBalanced;
  EXPECT_NEAR(probability(), 0.5, 1e-4);
  config.model.class_weight.mode = ClassWeightMode::kByLabel;
  config.model.class_weight.by_label = {{"yes", 3.0}};
  EXPECT_NEAR(probability(), 0.25, 1e-4);
}

TEST(Training, CountsARowOfWeightTwoAsTwoRows) {
  const TemporaryDirectory directory;
  std::string weighted = "label,weight,x\n";
  std::string repeated = "label,x\n";
  for (int i = 0; i < 60; ++i) {
    const std::string cells =
        "," + std::to_string(uniform(3, static_cast<std::uint64_t>(i))) + "\n";
    const std::string label = uniform(4, static_cast<std::uint64_t>(i)) > 0.4 ? "1" : "0";
    const int times = 1 + i % 2;
    weighted += label + "," + std::to_string(times) + cells;
    for (int k = 0; k < times; ++k) repeated += label + cells;
  }
  Config config = small_config(directory.write("weighted.csv", weighted));
  config.data.weight = "weight";
  config.data.standardize = AutoBool::kFalse;
  config.model.l2 = 0.1;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.epochs = 500;
  config.optimizer.restart = Restart::kAdaptive;
  const Model a = train_quietly(config).model;
  config.data.weight.reset();
  config.data.train = {directory.write("repeated.csv", repeated).string()};
  const Model b = train_quietly(config).model;
  EXPECT_NEAR(a.weights[0], b.weights[0], 1e-6);
  EXPECT_NEAR(a.intercept, b.intercept, 1e-6);
}

TEST(Training, WarnsWhereAWideUpdateCostsMoreThanTheBatch) {
  const TemporaryDirectory directory;
  Config config = small_config(
      write_csv(directory, "wide.csv", {.rows = 50, .columns = 2000, .density = 0.01}));
  config.training.batch_size = 1;
  config.training.epochs = 1;
  config.data.layout = Layout::kSparse;
  config.optimizer.momentum = 0.9;
  const LogCapture log;
  train_quietly(config);
  EXPECT_THAT(log.warnings(), ::testing::ElementsAre(
                                  ::testing::HasSubstr("update all 2000 weights at every step")));
}

TEST(Training, NeverDivergesAtTheAutomaticRate) {
  const TemporaryDirectory directory;
  for (const double factor : {0.01, 100.0}) {
    Config config = small_config(
        write_csv(directory, "train.csv",
                  {.rows = 200, .columns = 4, .weighted = true, .column_factor = factor}));
    config.data.weight = "weight";
    config.data.standardize = AutoBool::kFalse;
    config.model.l2 = 0.3;
    config.training.batch_size = TrainingConfig::kAllRows;
    config.training.epochs = 50;
    RecordingObserver observer;
    run_training(config, observer);
    for (std::size_t k = 1; k < observer.epochs.size(); ++k) {
      // Plain gradient descent at 1/L descends; losses are summed to 2^-32.
      EXPECT_LE(observer.epochs[k].log_loss, observer.epochs[0].log_loss + 1e-6);
    }
  }
}

}  // namespace
}  // namespace ossau::test
