#include "train/early_stopping.hpp"

#include <gtest/gtest.h>

namespace ossau {
namespace {

Metrics with_loss(double loss) {
  Metrics metrics;
  metrics.log_loss = loss;
  return metrics;
}

TEST(EarlyStopper, StopsAfterPatiencePassesAndKeepsTheBestWeights) {
  EarlyStopper stopper({.metric = Metric::kLogLoss, .patience = 2, .min_delta = 0});
  EXPECT_FALSE(stopper.observe(with_loss(0.5), {1}));
  EXPECT_FALSE(stopper.observe(with_loss(0.4), {2}));
  EXPECT_FALSE(stopper.observe(with_loss(0.45), {3}));
  EXPECT_TRUE(stopper.observe(with_loss(0.41), {4}));
  EXPECT_EQ(stopper.best_weights(), std::vector<double>{2});
}

TEST(EarlyStopper, WantsAGainAboveMinDelta) {
  EarlyStopper stopper({.metric = Metric::kLogLoss, .patience = 1, .min_delta = 0.1});
  EXPECT_FALSE(stopper.observe(with_loss(0.5), {1}));
  EXPECT_TRUE(stopper.observe(with_loss(0.41), {2}));
}

TEST(EarlyStopper, NeverTellsAlmostEqualLossesApart) {
  EarlyStopper stopper({.metric = Metric::kLogLoss, .patience = 1, .min_delta = 0});
  EXPECT_FALSE(stopper.observe(with_loss(0.5), {1}));
  EXPECT_TRUE(stopper.observe(with_loss(0.5 * (1 - 5e-7)), {2}));
}

TEST(EarlyStopper, PrefersHigherAccuracyAndAuc) {
  for (const Metric metric : {Metric::kAccuracy, Metric::kAuc}) {
    EarlyStopper stopper({.metric = metric, .patience = 1, .min_delta = 0});
    Metrics metrics;
    metrics.accuracy = metrics.auc = 0.8;
    EXPECT_FALSE(stopper.observe(metrics, {1}));
    metrics.accuracy = metrics.auc = 0.9;
    EXPECT_FALSE(stopper.observe(metrics, {2}));
    metrics.accuracy = metrics.auc = 0.7;
    EXPECT_TRUE(stopper.observe(metrics, {3}));
    EXPECT_EQ(stopper.best_weights(), std::vector<double>{2});
  }
}

}  // namespace
}  // namespace ossau
