#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/messages.hpp"

namespace ossau::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Override, WinsOverTheFileAndTheLaterOverTheEarlier) {
  const std::string yaml = "training: {epochs: 3, seed: 4}\n";
  const Config config = parse(yaml, {"training.epochs=5", "training.epochs=7"}).config;
  EXPECT_EQ(config.training.epochs, 7);
  EXPECT_EQ(config.training.seed, 4U);
}

TEST(Override, TakesListsMapsAndNull) {
  const std::string yaml = "data: {validation: v.csv}\nmodel: {class_weight: {a: 1}}\n";
  const Config config = parse(yaml, {"data.train=[a.csv, 'b c.csv']", "data.validation=null",
                                     "model.class_weight={yes: 5, no: 0.5}"})
                            .config;
  EXPECT_THAT(config.data.train, ElementsAre("a.csv", "b c.csv"));
  EXPECT_TRUE(config.data.validation.empty());
  EXPECT_EQ(config.model.class_weight.by_label,
            (std::map<std::string, double>{{"yes", 5}, {"no", 0.5}}));
}

TEST(Override, ReachesIntoSectionsThatTheFileDoesNotHave) {
  const Config config =
      parse("data: {validation: v.csv}\ntraining: {early_stopping: null}\n",
            {"training.early_stopping.patience=3", "data.csv.label=last", "model.class_weight.b=2"})
          .config;
  ASSERT_TRUE(config.training.early_stopping);
  EXPECT_EQ(config.training.early_stopping->patience, 3);
  EXPECT_EQ(config.data.csv.label, "last");
  EXPECT_EQ(config.model.class_weight.by_label.at("b"), 2);
}

TEST(Override, KeepsEqualSignsInItsValue) {
  EXPECT_EQ(parse("", {"model.positive=a=b"}).config.model.positive, "a=b");
}

TEST(Override, RepairsAValueOfTheFile) {
  EXPECT_EQ(message_of("training: {epochs: many}\n", {"training.epochs=3"}), "");
}

TEST(Override, IsNamedInProblems) {
  EXPECT_EQ(message_of("", {"training.epoch=3"}),
            "override 'training.epoch=3': training.epoch: unknown key (did you mean epochs?)");
  EXPECT_EQ(message_of("", {"epochs=3"}),
            "override 'epochs=3': epochs: unknown key (did you mean training.epochs?)");
  EXPECT_EQ(message_of("", {"training.epochs=x"}),
            "override 'training.epochs=x': training.epochs: 'x' is not a whole number "
            "(allowed: auto, or a whole number >= 1 and <= 1000000000)");
  EXPECT_EQ(message_of("", {"training.epochs="}),
            "override 'training.epochs=': training.epochs: null is not a whole number "
            "(allowed: auto, or a whole number >= 1 and <= 1000000000)");
}

TEST(Override, MustHaveAKeyAndAValue) {
  for (const char* text : {"training.epochs", "", "=3", ".epochs=3", "training.=3", "a..b=1"}) {
    EXPECT_EQ(message_of("", {text}),
              std::string("override '") + text +
                  "': not an override (write section.key=value, as training.epochs=50)");
  }
}

TEST(Override, ReportsAValueThatIsNoYaml) {
  EXPECT_THAT(message_of("", {"data.validation=*.csv"}),
              HasSubstr("override 'data.validation=*.csv': not valid YAML"));
  EXPECT_THAT(message_of("", {"data.validation=[a"}),
              HasSubstr("override 'data.validation=[a': not valid YAML"));
}

}  // namespace
}  // namespace ossau::test
