#include "arith/loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace ossau {
namespace {

double ulps(float got, double reference) {
  if (static_cast<double>(got) == reference) return 0;
  int exponent = 0;
  std::frexp(reference, &exponent);
  const double ulp = std::ldexp(1.0, std::max(exponent - 24, -149));
  return std::fabs(static_cast<double>(got) - reference) / ulp;
}

// Every 9973rd float here; the slow test in tests/backend takes all of them.
TEST(Logistic, IsWithinTwoUlp) {
  for (std::uint64_t bits = 0; bits < (UINT64_C(1) << 32); bits += 9973) {
    const auto m = bit_copy<float>(static_cast<std::uint32_t>(bits));
    if (!is_finite(m)) continue;
    const double x = m;
    const double e = std::exp(-std::fabs(x));
    const LogisticValue<float> value = logistic<ScalarOps>(m);
    ASSERT_LE(ulps(value.sigmoid, x >= 0 ? 1 / (1 + e) : e / (1 + e)), 2) << m;
    ASSERT_LE(ulps(value.softplus, std::fmax(x, 0.0) + std::log1p(e)), 2) << m;
  }
}

TEST(Curvature, IsWithinTwoUlpAndAtMostAQuarter) {
  for (std::uint64_t bits = 0; bits < (UINT64_C(1) << 32); bits += 9973) {
    const auto m = bit_copy<float>(static_cast<std::uint32_t>(bits));
    if (!is_finite(m)) continue;
    const double e = std::exp(-std::fabs(static_cast<double>(m)));
    const float value = logistic_curvature<ScalarOps>(m);
    ASSERT_LE(ulps(value, e / ((1 + e) * (1 + e))), 2) << m;
    ASSERT_LE(value, 0.25f) << m;
    ASSERT_EQ(value, logistic_curvature<ScalarOps>(-m)) << m;
  }
  EXPECT_EQ(logistic_curvature<ScalarOps>(0.0f), 0.25f);
}

// p (1 - p) would be 0 here.
TEST(Curvature, KeepsItsDigitsOnWellClassifiedRows) {
  EXPECT_LE(ulps(LogisticLoss<ScalarOps>::curvature(40.0f, {-0.5f}), std::exp(-40.0)), 2);
  EXPECT_EQ(LogisticLoss<ScalarOps>::curvature(std::numeric_limits<float>::max(), {1.0f}), 0.0f);
}

TEST(Logistic, StaysFiniteAtTheLargestMargins) {
  const float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(logistic<ScalarOps>(largest).sigmoid, 1.0f);
  EXPECT_EQ(logistic<ScalarOps>(largest).softplus, largest);
  EXPECT_EQ(logistic<ScalarOps>(-largest).sigmoid, 0.0f);
  EXPECT_EQ(logistic<ScalarOps>(-largest).softplus, 0.0f);
}

TEST(RowLoss, IsTheSameForBothClassesMirrored) {
  for (const float score : {-50.0f, -1.0f, -0.0f, 0.0f, 1e-30f, 2.5f, 80.0f}) {
    const RowLoss<float> positive = LogisticLoss<ScalarOps>::at(score, {-0.75f});
    const RowLoss<float> negative = LogisticLoss<ScalarOps>::at(-score, {0.75f});
    EXPECT_EQ(positive.residual, -negative.residual) << score;
    EXPECT_EQ(positive.loss, negative.loss) << score;
    EXPECT_LE(positive.residual, 0.0f);
  }
}

// p - y would be 0 here: the residual of a well classified row keeps its digits.
TEST(RowLoss, DoesNotCancelOnWellClassifiedRows) {
  const RowLoss<float> loss = LogisticLoss<ScalarOps>::at(40.0f, {-1.0f});
  EXPECT_LE(ulps(loss.residual, -std::exp(-40.0) / (1 + std::exp(-40.0))), 2);
  EXPECT_LE(ulps(loss.loss, std::log1p(std::exp(-40.0))), 2);
}

TEST(RowLoss, IsTheDerivativeOfTheLoss) {
  for (double score = -6; score <= 6; score += 0.37) {
    const double h = 1e-5;
    const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
    const double slope = (softplus(score + h) - softplus(score - h)) / (2 * h);
    // The difference quotient itself is good to h^2 / 6.
    EXPECT_NEAR(LogisticLoss<ScalarOps>::at(static_cast<float>(score), {1.0f}).residual, slope,
                1e-6);
  }
}

}  // namespace
}  // namespace ossau
