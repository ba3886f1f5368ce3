#include "train/warm_start.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "ossau/error.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/training_samples.hpp"

// Trainings that start from a model.

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

// A model of columns with these names.
Model model_of(std::vector<std::string> names, std::vector<double> weights) {
  Model model;
  const std::size_t n = names.size();
  model.weights = std::move(weights);
  model.intercept = 0.5;
  model.shift.assign(n, 3.0);
  model.scale.assign(n, 0.25);
  model.exponent.assign(n, 0);
  model.schema.feature_names = std::move(names);
  model.schema.classes = {"no", "yes"};
  return model;
}

struct Here {
  Schema schema;
  ColumnTransform transform;
};

Here columns(std::vector<std::string> names) {
  Here here;
  here.transform.shift.assign(names.size(), -1.0);
  here.transform.scale.assign(names.size(), 2.0);
  here.schema.feature_names = std::move(names);
  here.schema.classes = {"no", "yes"};
  return here;
}

// The score of a row whose columns all have the value x.
double score(const WarmStart& start, const Here& here, double x) {
  double sum = start.weights.back();
  for (std::size_t j = 0; j + 1 < start.weights.size(); ++j) {
    sum += start.weights[j] * (x - here.transform.shift[j]) * here.transform.scale[j];
  }
  return sum;
}

TEST(WarmStart, IsTheModelsFunctionOfColumnsByName) {
  const Model model = model_of({"a", "b"}, {8, -4});
  const Here here = columns({"b", "a"});
  const WarmStart start = warm_start(model, here.schema, here.transform, true);
  for (const double x : {-2.0, 0.0, 5.0}) {
    EXPECT_DOUBLE_EQ(score(start, here, x), 0.5 + (8 - 4) * (x - 3) * 0.25) << x;
  }
  EXPECT_THAT(start.fresh, IsEmpty());
  EXPECT_THAT(start.left_out, IsEmpty());
  EXPECT_EQ(describe(start), "2 of 2 columns start there");
}

TEST(WarmStart, LeavesOtherColumnsAtZeroAndSaysSo) {
  const Model model = model_of({"a", "gone", "b"}, {8, 1, -4});
  const Here here = columns({"new", "b", "a"});
  const WarmStart start = warm_start(model, here.schema, here.transform, true);
  EXPECT_EQ(start.weights[0], 0);
  EXPECT_THAT(start.fresh, ElementsAre("new"));
  EXPECT_THAT(start.left_out, ElementsAre("gone"));
  EXPECT_EQ(describe(start), "2 of 3 columns start there; at 0: \"new\"; not here: \"gone\"");
}

TEST(WarmStart, TurnsAModelOfTheOtherClassRound) {
  const Model model = model_of({"a"}, {8});
  Here here = columns({"a"});
  const WarmStart same = warm_start(model, here.schema, here.transform, true);
  here.schema.classes = {"yes", "no"};
  const WarmStart turned = warm_start(model, here.schema, here.transform, true);
  EXPECT_THAT(turned.weights, ElementsAre(-same.weights[0], -same.weights[1]));
}

TEST(WarmStart, HasNoInterceptWhereNoneIsWanted) {
  const Here here = columns({"a"});
  const Model model = model_of({"a"}, {8});
  EXPECT_EQ(warm_start(model, here.schema, here.transform, false).weights.back(), 0);
}

TEST(WarmStart, RefusesAModelOfSomethingElse) {
  Here here = columns({"a"});
  EXPECT_THAT([&] { warm_start(model_of({"z"}, {1}), here.schema, here.transform, true); },
              ThrowsMessage<DataError>(HasSubstr("none of its columns is here")));
  here.transform.scale = {1e-200};
  EXPECT_THAT([&] { warm_start(model_of({"a"}, {1e200}), here.schema, here.transform, true); },
              ThrowsMessage<DataError>(HasSubstr("too large")));
  here.schema.classes = {"no", "maybe"};
  EXPECT_THAT([&] { warm_start(model_of({"a"}, {1}), here.schema, here.transform, true); },
              ThrowsMessage<DataError>(HasSubstr("its classes are \"no\" and \"yes\", those here "
                                                 "\"no\" and \"maybe\"")));
}

class WarmTraining : public ::testing::Test {
 protected:
  WarmTraining() {
    config_.data.train = {
        write_csv(directory_, "rows.csv", {.rows = 400, .columns = 6, .density = 0.8}).string()};
    config_.run.threads = 1;
    const TrainingResult cold = train_quietly(config_);
    cold_ = cold.summary;
    save_model(cold.model, model());
  }

  std::filesystem::path model() const { return directory_.path() / "model.safetensors"; }
  Config warm() const {
    Config config = config_;
    config.training.init = model().string();
    return config;
  }

  const TemporaryDirectory directory_;
  Config config_;
  Summary cold_;
};

TEST_F(WarmTraining, FromItsOwnOptimumIsOver) {
  const Summary summary = train_quietly(warm()).summary;
  EXPECT_TRUE(summary.convergence->converged);
  EXPECT_TRUE(summary.convergence->certified);
  EXPECT_LT(summary.convergence->passes, cold_.convergence->passes);
  EXPECT_NEAR(summary.train.log_loss, cold_.train.log_loss, 1e-6);
}

TEST_F(WarmTraining, GoesToTheSameOptimumFromOtherScales) {
  Config config = warm();
  config.data.standardize = AutoBool::kFalse;
  config.model.l2 = 0;
  Config cold = config;
  cold.training.init.reset();
  EXPECT_NEAR(train_quietly(config).summary.train.log_loss,
              train_quietly(cold).summary.train.log_loss, 1e-6);
}

TEST_F(WarmTraining, StartsRulesToo) {
  Config config = warm();
  config.training.epochs = 1;
  config.optimizer.learning_rate = 1e-12;
  EXPECT_NEAR(train_quietly(config).summary.train.log_loss, cold_.train.log_loss, 1e-6);
}

TEST_F(WarmTraining, GivesTheSameBitsOnEveryNumberOfRanks) {
  Config config = warm();
  config.model.l2 = 1e-4;
  const std::string expected = model_hash(config);
  EXPECT_NE(train_quietly(config).summary.steps, 0);
  for (const std::int64_t ranks : {2, 3}) {
    config.run.ranks = ranks;
    EXPECT_EQ(model_hash(config), expected) << ranks << " ranks";
  }
}

// A checkpoint says from which weights its training came.
TEST_F(WarmTraining, DoesNotGoOnFromACheckpointOfAnotherStart) {
  Config config = warm();
  config.model.l2 = 1e-4;
  config.checkpoint.directory = (directory_.path() / "checkpoints").string();
  config.checkpoint.every_steps = 1;
  train_quietly(config);
  config.checkpoint.resume = list_checkpoints(*config.checkpoint.directory).front().file.string();
  EXPECT_TRUE(train_quietly(config).summary.resumed_from_step.has_value());
  config.training.init.reset();
  EXPECT_THAT([&] { train_quietly(config); },
              ThrowsMessage<ConfigError>(HasSubstr("training.init was ")));
}

TEST_F(WarmTraining, NamesTheFileThatItCannotStartFrom) {
  Config config = config_;
  config.training.init = (directory_.path() / "none.safetensors").string();
  EXPECT_THAT([&] { train_quietly(config); }, ThrowsMessage<Error>(HasSubstr("none.safetensors")));
  Model other = load_model(model());
  for (std::string& name : other.schema.feature_names) name += "x";
  save_model(other, model());
  EXPECT_THAT(
      [&] { train_quietly(warm()); },
      ThrowsMessage<DataError>(AllOf(HasSubstr("training.init: "), HasSubstr(model().string()),
                                     HasSubstr("none of its columns is here"))));
}

}  // namespace
}  // namespace ossau::test
