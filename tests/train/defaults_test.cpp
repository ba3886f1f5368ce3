#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ossau/error.hpp"
#include "ossau/ossau.hpp"
#include "support/files.hpp"
#include "train/training_samples.hpp"

// What a training does that nothing was said about, and what it says of a model that is not what
// was asked for.

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::ThrowsMessage;

class Defaults : public ::testing::Test {
 protected:
  using Cells = std::function<std::string(int row)>;

  // A file `label,HEADER` with so many rows.
  std::string rows(const std::string& header, int count, const Cells& cells,
                   const std::string& name = "rows.csv") const {
    std::string text = "label," + header + "\n";
    for (int i = 0; i < count; ++i) text += cells(i) + "\n";
    return folder_.write(name, text).string();
  }

  // Labels that two columns tell only roughly; three of ten are positive.
  std::string noisy_rows(int count = 200, const std::string& name = "rows.csv") const {
    return rows(
        "x,z", count,
        [](int i) {
          const int positive = i * 7 % 10 < 3 ? 1 : 0;
          return std::to_string(positive) + "," + std::to_string(i % 13 + 2 * positive) + "," +
                 std::to_string(i * i % 29);
        },
        name);
  }

  static Config config_for(const std::string& file) {
    Config config;
    config.data.train = {file};
    config.run.threads = 1;
    return config;
  }

  TemporaryDirectory folder_;
};

TEST_F(Defaults, GoToTheCertifiedOptimum) {
  const TrainingResult result = train_quietly(config_for(noisy_rows()));
  EXPECT_EQ(result.summary.method, "gram_lbfgs");
  EXPECT_EQ(result.summary.stop_reason, "gap");
  ASSERT_TRUE(result.summary.convergence.has_value());
  EXPECT_TRUE(result.summary.convergence->certified);
  EXPECT_LE(result.summary.convergence->gap, 1e-6);
  EXPECT_DOUBLE_EQ(*result.model.config.model.l2, 1.0 / 200);
  EXPECT_THAT(result.summary.warnings, IsEmpty());
}

TEST_F(Defaults, LeaveDescentToThoseWhoSetOneOfItsKeys) {
  Config config = config_for(noisy_rows());
  config.training.epochs = 3;
  const TrainingResult result = train_quietly(config);
  EXPECT_EQ(result.summary.method, "sgd");
  EXPECT_EQ(result.summary.epochs, 3);
  EXPECT_DOUBLE_EQ(*result.model.config.model.l2, 1.0 / 200);
}

TEST_F(Defaults, StartAtTheBestConstant) {
  Config config = config_for(noisy_rows());
  config.optimizer.learning_rate = 1e-30;
  config.training.epochs = 1;
  const Model model = train_quietly(config).model;
  EXPECT_EQ(model.intercept, static_cast<double>(static_cast<float>(std::log(0.3 / 0.7))));
  for (const double weight : model.weights) EXPECT_NEAR(weight, 0, 1e-29);
  config.model.intercept = false;
  EXPECT_EQ(train_quietly(config).model.intercept, 0);
}

TEST_F(Defaults, StartWhereTheWeightsOfRowsSay) {
  Config config = config_for(noisy_rows());
  config.model.class_weight.mode = ClassWeightMode::kBalanced;
  config.optimizer.learning_rate = 1e-30;
  config.training.epochs = 1;
  EXPECT_NEAR(train_quietly(config).model.intercept, 0, 1e-6);
}

TEST_F(Defaults, NeedRowsOfBothClassesThatWeighSomething) {
  Config config = config_for(rows("w,x", 40, [](int i) {
    return std::to_string(i % 2) + "," + std::to_string(i % 2) + "," + std::to_string(i % 7);
  }));
  config.data.weight = "w";
  EXPECT_THAT([&] { train_quietly(config); },
              ThrowsMessage<DataError>(HasSubstr("those with the label \"0\" weigh nothing")));
}

// A cut at 0 is not one that grows, and a score of 0 not an intercept.
TEST_F(Defaults, SayNothingOfAnInterceptThatIsNotThere) {
  Config config = config_for(rows("x", 200, [](int i) {
    return std::to_string(i % 10 > 6 ? 1 : 0) + "," + std::to_string(i % 10 - 3);
  }));
  config.model.intercept = false;
  config.model.l2 = 0;
  config.data.standardize = AutoBool::kFalse;
  const Summary summary = train_quietly(config).summary;
  EXPECT_TRUE(summary.convergence->converged);
  EXPECT_THAT(summary.warnings, IsEmpty());
}

TEST_F(Defaults, NameColumnsThatPartTheClassesAlone) {
  // `gold` is 1 for a few positive rows; `low` is never larger for a positive row.
  Config config = config_for(rows("x,gold,low", 200, [](int i) {
    const int positive = i * 7 % 10 < 3 ? 1 : 0;
    return std::to_string(positive) + "," + std::to_string(i % 13) + "," +
           std::to_string(positive != 0 && i % 4 == 0 ? 1 : 0) + "," +
           std::to_string(positive != 0 ? -5 - i % 3 : -5 + i % 2);
  }));
  config.model.l2 = 0;
  config.training.max_passes = 30;
  EXPECT_THAT(train_quietly(config).summary.warnings,
              Contains(AllOf(HasSubstr("model.l2: 0: separation by \"gold\", \"low\": "),
                             HasSubstr("set model.l2: auto"))));
}

TEST_F(Defaults, SeeNoSeparationInRowsOfNoWeight) {
  // The only positive row with `gold` 0 that has a negative counterpart weighs nothing.
  Config config = config_for(rows("w,gold,x", 100, [](int i) {
    const int positive = i % 2;
    const bool odd_one = i == 10;
    return std::to_string(positive) + "," + (odd_one ? "0" : "1") + "," +
           std::to_string(positive != 0 || odd_one ? i % 5 : 0) + "," + std::to_string(i % 7);
  }));
  config.data.weight = "w";
  config.model.l2 = 0;
  config.training.max_passes = 20;
  EXPECT_THAT(train_quietly(config).summary.warnings,
              Contains(HasSubstr("separation by \"gold\": ")));
}

TEST_F(Defaults, NameColumnsThatPartTheClassesTogether) {
  const std::string file = rows("x,z", 100, [](int i) {
    const int x = i % 10;
    const int z = i / 10;
    return std::to_string(x + z > 9 ? 1 : 0) + "," + std::to_string(x) + "," + std::to_string(z);
  });
  Config config = config_for(file);
  config.model.l2 = 0;
  config.training.max_passes = 100;
  EXPECT_THAT(train_quietly(config).summary.warnings,
              Contains(HasSubstr("the columns together separate the classes")));
  EXPECT_THAT(train_quietly(config_for(file)).summary.warnings, IsEmpty());
}

// The optimum is there; how near it is can only be guessed.
TEST_F(Defaults, WarnOfCollinearColumnsWithoutAPenalty) {
  const auto cells = [](const char* of_third) {
    return [of_third](int i) {
      const int x = i * 11 % 17;
      const int z = i * i % 29;
      return std::to_string(i * 7 % 10 < 3 + (x > 12) ? 1 : 0) + "," + std::to_string(x) + "," +
             std::to_string(z) + "," + std::to_string(*of_third == '+' ? x + z : i * 13 % 23);
    };
  };
  const auto warnings_of = [&](const char* third, std::optional<double> l2) {
    Config config = config_for(rows("x,z,third", 200, cells(third)));
    config.model.l2 = l2;
    return train_quietly(config).summary.warnings;
  };
  EXPECT_THAT(warnings_of("+", 0.0), ElementsAre(HasSubstr("columns are collinear, or nearly so")));
  EXPECT_THAT(warnings_of("another", 0.0), IsEmpty());
  EXPECT_THAT(warnings_of("+", std::nullopt), IsEmpty());
}

TEST_F(Defaults, WarnOfFewRowsUnlessOthersAreThere) {
  Config config = config_for(noisy_rows(19));
  EXPECT_THAT(train_quietly(config).summary.warnings,
              Contains(HasSubstr("training rows: 19 of them for 2 columns: what the model says")));
  config.data.validation = {noisy_rows(200, "others.csv")};
  EXPECT_THAT(train_quietly(config).summary.warnings,
              Not(Contains(HasSubstr("columns: what the model"))));
}

TEST_F(Defaults, WarnOfAModelThatIsWorseThanAConstant) {
  Config config = config_for(noisy_rows());
  config.optimizer.learning_rate = 20;
  config.training.batch_size = 5;
  config.training.epochs = 1;
  EXPECT_THAT(train_quietly(config).summary.warnings,
              Contains(AllOf(HasSubstr("training rows: a log loss of "),
                             HasSubstr(" is worse than 0.610864, that of a "
                                       "constant"))));
}

TEST_F(Defaults, WarnOfAModelThatDoesNotHoldOnValidationRows) {
  const auto told_by = [](int sign) {
    return [sign](int i) {
      const int positive = i % 2;
      return std::to_string(positive) + "," + std::to_string(sign * (positive * 4 + i % 5));
    };
  };
  Config config = config_for(rows("x", 100, told_by(1)));
  config.data.validation = {rows("x", 100, told_by(-1), "others.csv")};
  EXPECT_THAT(train_quietly(config).summary.warnings,
              Contains(AllOf(HasSubstr("validation rows: a log loss of "),
                             HasSubstr(" is worse than 0.693147, that of the training rows'"))));
}

}  // namespace
}  // namespace ossau::test
