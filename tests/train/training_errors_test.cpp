#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ossau/error.hpp"
#include "support/log_capture.hpp"
#include "train/training_samples.hpp"

namespace ossau::test {
namespace {

using ::testing::HasSubstr;

struct Failure {
  ExitCode code = ExitCode::kDone;
  std::string message;
};

Failure failure_of(const Config& config) {
  try {
    train_quietly(config);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

Failure failure_of_text(const std::string& text) {
  const TemporaryDirectory directory;
  Config config = small_config(directory.write("data.csv", text));
  return failure_of(config);
}

TEST(TrainingErrors, NameAMissingFile) {
  Config config;
  config.data.train = {"nowhere/data.csv"};
  const Failure failure = failure_of(config);
  EXPECT_EQ(failure.code, ExitCode::kData);
  EXPECT_THAT(failure.message, HasSubstr("nowhere/data.csv"));
}

TEST(TrainingErrors, NameEmptyOneClassAndOneRowData) {
  EXPECT_EQ(failure_of_text("").code, ExitCode::kData);
  EXPECT_EQ(failure_of_text("label,x\n").code, ExitCode::kData);
  const Failure one_class = failure_of_text("label,x\n1,2\n1,3\n");
  EXPECT_EQ(one_class.code, ExitCode::kData);
  EXPECT_THAT(one_class.message, HasSubstr("\"1\""));
  EXPECT_EQ(failure_of_text("label,x\n1,2\n").code, ExitCode::kData);
}

TEST(TrainingErrors, NameTheBadLine) {
  std::string text = "label,x\n";
  for (int i = 0; i < 50; ++i) text += i % 2 == 0 ? "1,2.5\n" : "0,3\n";
  text += "1,oops\n";
  const Failure failure = failure_of_text(text);
  EXPECT_EQ(failure.code, ExitCode::kData);
  EXPECT_THAT(failure.message, HasSubstr("data.csv:52:3: "));
  EXPECT_THAT(failure.message, HasSubstr("oops"));
}

TEST(TrainingErrors, NameDivergenceAtItsStep) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 200}));
  config.optimizer.learning_rate = 1e30;
  for (const std::int64_t ranks : {1, 3}) {
    config.run.ranks = ranks;
    const Failure failure = failure_of(config);
    EXPECT_EQ(failure.code, ExitCode::kConfig);
    EXPECT_THAT(
        failure.message,
        HasSubstr("optimizer.learning_rate: 1e+30: training diverged at epoch 1, step 2: "));
    EXPECT_THAT(failure.message, HasSubstr("set it to auto, which never diverges"));
  }
}

TEST(TrainingErrors, NameDivergenceAfterTheLastStep) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 200}));
  config.optimizer.learning_rate = 1e30;
  config.training.epochs = 1;
  config.training.batch_size = TrainingConfig::kAllRows;
  const Failure failure = failure_of(config);
  EXPECT_EQ(failure.code, ExitCode::kConfig);
  EXPECT_THAT(failure.message, HasSubstr("diverged at the end of epoch 1"));
}

TEST(TrainingErrors, NameAClassThatWasHeldOutWhole) {
  const TemporaryDirectory directory;
  std::string text = "label,x\n";
  for (int i = 0; i < 10; ++i) text += "0,1\n";
  Config config = small_config(directory.write("data.csv", text + "1,2\n"));
  config.data.shuffle = false;
  config.data.validation_fraction = 0.3;
  const Failure failure = failure_of(config);
  EXPECT_EQ(failure.code, ExitCode::kData);
  EXPECT_THAT(failure.message, HasSubstr("none has the label \"1\""));
}

TEST(TrainingErrors, NameAClassWeightWithoutClass) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 50}));
  config.model.class_weight.mode = ClassWeightMode::kByLabel;
  config.model.class_weight.by_label = {{"yes", 2.0}};
  const Failure failure = failure_of(config);
  EXPECT_EQ(failure.code, ExitCode::kConfig);
  EXPECT_THAT(failure.message, HasSubstr("model.class_weight: no label \"yes\""));
}

TEST(TrainingErrors, NameValidationValuesFarBeyondTheTrainingRange) {
  const TemporaryDirectory directory;
  Config config = small_config(directory.write("train.csv", "y,x\n0,0\n1,1\n0,0.5\n1,0.25\n"));
  config.data.validation = {directory.write("validation.csv", "y,x\n0,1e300\n1,0.5\n").string()};
  config.data.standardize = AutoBool::kFalse;
  const Failure failure = failure_of(config);
  EXPECT_EQ(failure.code, ExitCode::kData);
  EXPECT_THAT(failure.message, HasSubstr("validation rows: feature x: 1e+300 is more than 2^40"));
}

TEST(TrainingErrors, NameValidationRowsWithoutAnAuc) {
  const TemporaryDirectory directory;
  Config config = small_config(directory.write("train.csv", "y,x\n0,0\n1,1\n0,0.5\n1,0.25\n"));
  config.data.validation = {directory.write("validation.csv", "y,x\n1,1\n1,0.5\n").string()};
  EXPECT_EQ(failure_of(config).code, ExitCode::kDone);
  config.training.early_stopping = EarlyStopping{.metric = Metric::kAuc};
  const Failure failure = failure_of(config);
  EXPECT_EQ(failure.code, ExitCode::kData);
  EXPECT_THAT(failure.message, HasSubstr("none has the label \"0\", so they have no AUC"));
}

TEST(TrainingErrors, NameWeightsAndRowsTooLargeForFloat64) {
  const TemporaryDirectory directory;
  Config config =
      small_config(directory.write("weights.csv", "y,w,x\n0,1e302,0\n1,1,1\n0,2,0.5\n1,3,0.25\n"));
  config.data.weight = "w";
  const Failure weights = failure_of(config);
  EXPECT_EQ(weights.code, ExitCode::kData);
  EXPECT_THAT(weights.message, HasSubstr("training rows: weights up to 1e+302"));

  Config rows = small_config(directory.write("rows.csv", "y,a,b\n0,6e153,6e153\n1,0,1\n0,1,0\n"));
  rows.data.standardize = AutoBool::kFalse;
  const Failure lengths = failure_of(rows);
  EXPECT_EQ(lengths.code, ExitCode::kData);
  EXPECT_THAT(lengths.message, HasSubstr("the squared lengths of rows"));
  rows.data.train = {directory.write("tiny.csv", "y,a\n0,1e-150\n1,-1e-150\n").string()};
  rows.model.intercept = false;
  EXPECT_THAT(failure_of(rows).message, HasSubstr("the squared lengths of rows"));
}

TEST(ClassWeights, MayNotNameAClassTwice) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 50}));
  config.model.class_weight.mode = ClassWeightMode::kByLabel;
  config.model.class_weight.by_label = {{"1", 2.0}, {"1.0", 3.0}};
  const Failure failure = failure_of(config);
  EXPECT_EQ(failure.code, ExitCode::kConfig);
  EXPECT_THAT(failure.message, HasSubstr("the label \"1\" has two weights"));
}

TEST(ClassWeights, NameNumbersInAnySpelling) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 50}));
  config.model.class_weight.mode = ClassWeightMode::kByLabel;
  config.model.class_weight.by_label = {{"1", 2.0}};
  const std::string expected = weight_hash(train_quietly(config).model);
  config.model.class_weight.by_label = {{"+1.0", 2.0}};
  EXPECT_EQ(weight_hash(train_quietly(config).model), expected);
}

TEST(SmallData, OfTenRowsTrainsWithSixtyFourShardsOnSevenRanks) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 10, .columns = 2}));
  config.training.batch_size = 3;
  const std::string alone = model_hash(config);
  config.run.ranks = 7;
  EXPECT_EQ(model_hash(config), alone);
}

TEST(SmallData, MayHaveAColumnOfZerosAndAConstantOne) {
  const TemporaryDirectory directory;
  Config config = small_config(
      directory.write("data.csv", "label,zero,constant,x\n1,0,5,1\n0,0,5,2\n1,0,5,3\n0,0,5,2.5\n"));
  for (const AutoBool standardize : {AutoBool::kAuto, AutoBool::kFalse}) {
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
      config.data.standardize = standardize;
      config.data.layout = layout;
      EXPECT_EQ(train_quietly(config).model.weights[0], 0.0);
    }
  }
}

}  // namespace
}  // namespace ossau::test
