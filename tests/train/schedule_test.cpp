#include "train/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace ossau {
namespace {

LearningRates rates_of(Schedule schedule) {
  OptimizerConfig config;
  config.schedule = schedule;
  config.decay = 0.5;
  config.final_fraction = 0.1;
  config.step_epochs = 2;
  config.step_factor = 0.25;
  return {config, 0.8, 10, 5};  // first rate, steps an epoch, epochs
}

TEST(LearningRates, FollowTheirFormulas) {
  EXPECT_EQ(rates_of(Schedule::kConstant).at(37), 0.8);
  EXPECT_EQ(rates_of(Schedule::kInverse).at(25), 0.8 / (1 + 0.5 * 2.5));
  EXPECT_EQ(rates_of(Schedule::kInverseSqrt).at(25), 0.8 / std::sqrt(1 + 0.5 * 2.5));
  EXPECT_EQ(rates_of(Schedule::kStep).at(19), 0.8);
  EXPECT_EQ(rates_of(Schedule::kStep).at(20), 0.2);
  EXPECT_EQ(rates_of(Schedule::kStep).at(49), 0.05);
  EXPECT_EQ(rates_of(Schedule::kCosine).at(0), 0.8);
  EXPECT_NEAR(rates_of(Schedule::kCosine).at(25), 0.8 * 0.55, 1e-15);
  EXPECT_NEAR(rates_of(Schedule::kCosine).at(49), 0.8 * (0.1 + 0.9 * 0.000986636), 1e-6);
}

TEST(LearningRates, WarmUpInEqualSteps) {
  OptimizerConfig config;
  config.warmup_steps = 4;
  const LearningRates rates(config, 1.0, 10, 1);
  EXPECT_EQ(rates.at(0), 0.25);
  EXPECT_EQ(rates.at(3), 1.0);
  EXPECT_EQ(rates.at(4), 1.0);
}

TEST(SafeLearningRate, IsTheInverseOfTheCurvatureRoundedUp) {
  const Penalty penalty{.l1 = 5, .l2 = 0.5, .pseudo_huber = 1, .delta = 0.5};
  EXPECT_LT(safe_learning_rate(1.5, penalty), 1 / 4.0);
  EXPECT_NEAR(safe_learning_rate(1.5, penalty), 1 / 4.0, 1e-9);
  EXPECT_EQ(safe_learning_rate(0, {}), 1.0);
}

TEST(ScaleSequence, DecaysAndFoldsBeforeItGetsSmall) {
  ScaleSequence scales(0.5);
  StepParameters step{.rate = 1.0};
  double a = 1;
  for (int k = 0; k < 30; ++k) {
    scales.advance(step);
    a *= 0.5;
    if (step.fold) {
      EXPECT_EQ(step.fold_factor, a);
      EXPECT_EQ(step.scale, 1.0);
      a = 1;
    } else {
      EXPECT_EQ(step.scale, a);
    }
    EXPECT_GE(std::fabs(step.scale), 1.0 / 256);
  }
}

TEST(ScaleSequence, SurvivesAStepThatClearsAllWeights) {
  ScaleSequence scales(1.0);
  StepParameters step{.rate = 1.0};
  scales.advance(step);
  EXPECT_TRUE(step.fold);
  EXPECT_EQ(step.fold_factor, 0.0);
  EXPECT_EQ(step.scale, 1.0);
}

}  // namespace
}  // namespace ossau
