#include "arith/update.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

namespace ossau {
namespace {

TEST(SoftThreshold, GivesPlusZeroUpToTheThreshold) {
  for (const double v : {0.0, -0.0, 0.5, -0.5, 1.0, -1.0}) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(soft_threshold(v, 1.0)), 0u) << v;
  }
  EXPECT_EQ(soft_threshold(1.5, 1.0), 0.5);
  EXPECT_EQ(soft_threshold(-1.5, 1.0), -0.5);
}

TEST(Descend, IsAGradientStepWithoutL1) {
  EXPECT_EQ(descend(1.0, 2.0, 0.25, 0.0), 0.5);
  EXPECT_EQ(descend(1.0, 2.0, 0.25, 1.0), 0.25);
}

TEST(PenaltyGradient, IsTheDerivativeOfThePenalty) {
  const Penalty penalty{.l1 = 0, .l2 = 0.3, .pseudo_huber = 0.7, .delta = 0.4};
  const auto value = [&](double w) {
    return penalty.l2 / 2 * w * w +
           penalty.pseudo_huber *
               (std::sqrt(w * w + penalty.delta * penalty.delta) - penalty.delta);
  };
  for (double w = -2; w <= 2; w += 0.1) {
    const double h = 1e-6;
    EXPECT_NEAR(penalty_gradient(w, penalty), (value(w + h) - value(w - h)) / (2 * h), 1e-9);
  }
}

TEST(Stationarity, IsZeroAtAnL1Minimiser) {
  EXPECT_EQ(stationarity(0.0, 0.9, 0.5, 1.0), 0.0);   // |g| <= l1 keeps a zero weight
  EXPECT_EQ(stationarity(2.0, -1.0, 0.5, 1.0), 0.0);  // g = -l1 sign(w)
  EXPECT_EQ(stationarity(0.0, 1.5, 0.5, 1.0), 0.5);
}

TEST(NesterovSequence, StartsAtOneAndGrowsByHalves) {
  double t = 1;
  EXPECT_EQ(next_nesterov_t(t), (1 + std::sqrt(5.0)) / 2);
  for (int k = 0; k < 1000; ++k) t = next_nesterov_t(t);
  // t_k ~ (k + log(k) / 2 + c) / 2
  EXPECT_NEAR(t, 502.5, 1.5);
}

}  // namespace
}  // namespace ossau
