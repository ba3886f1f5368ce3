#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "arith/rules/list.hpp"
#include "config/method_keys.hpp"
#include "ossau/config.hpp"

namespace ossau {
namespace {

/// A model of one feature, whose gradient sums are mean gradients.
template <class R>
struct OneFeature {
  ModelRule model;
  StepParameters step;
  double w = 0;
  double state[R::kStates + 1] = {};

  explicit OneFeature(RuleSettings settings, double rate, double l1 = 0) {
    model = {.features = 1, .intercept = true, .settings = settings, .penalty = {.l1 = l1}};
    step = {.rate = rate, .gradient_factor = 0x1p-10};
  }
  void move(double gradient) {
    const rules::Element element{.j = 0, .sum = static_cast<std::int64_t>(gradient * 0x1p10)};
    R(model, step).move(element, w, state);
  }
};

TEST(HeavyBall, AddsMomentumToTheGradient) {
  OneFeature<rules::HeavyBall> of({{0.5}}, 0.25);
  of.w = 1;
  of.state[0] = 2;
  of.move(1);
  EXPECT_EQ(of.w, 0.5);
  EXPECT_EQ(of.state[0], 2.0);
  of.w = 1;
  of.move(0);
  EXPECT_EQ(of.w, 0.75);
  EXPECT_EQ(of.state[0], 1.0);
}

TEST(HeavyBall, RestsAtAnL1MinimiserWhateverTheMomentum) {
  OneFeature<rules::HeavyBall> of({{0.75}}, 0.5, 1);
  of.w = 2;
  of.move(-1);  // g = -l1 sign(w)
  EXPECT_EQ(of.w, 2.0);
  EXPECT_EQ(of.state[0], 0.0);
  of.w = 0;
  of.move(0.875);  // |g| < l1 keeps a zero weight
  EXPECT_EQ(of.w, 0.0);
  EXPECT_EQ(of.state[0], 0.0);
}

TEST(Adagrad, DividesTheRateByTheRootOfTheSquares) {
  OneFeature<rules::Adagrad> of({{0.5}}, 0.25);
  of.move(3);
  EXPECT_EQ(of.state[0], 9.0);
  EXPECT_EQ(of.w, -0.25 / 3.5 * 3);
  of.move(4);
  EXPECT_EQ(of.state[0], 25.0);
  EXPECT_EQ(of.w, -0.25 / 3.5 * 3 - 0.25 / 5.5 * 4);
}

TEST(Adagrad, KeepsAnUntouchedFeatureOnlyWithoutPenalties) {
  for (const double w : {0.0, -0.0, 0.75}) {
    OneFeature<rules::Adagrad> of({{1e-10}}, 0.1);
    of.w = w;
    of.state[0] = 2;
    of.move(0);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(of.w), std::bit_cast<std::uint64_t>(w));
    EXPECT_EQ(of.state[0], 2.0);
    EXPECT_TRUE(keeps_untouched(UpdateRule::kAdagrad, of.model, of.step));
    of.model.penalty.l2 = 0.1;
    EXPECT_FALSE(keeps_untouched(UpdateRule::kAdagrad, of.model, of.step));
  }
  OneFeature<rules::Adagrad> of({{1e-10}}, 1e300);  // 1e300 / 1e-10 is infinite
  EXPECT_FALSE(keeps_untouched(UpdateRule::kAdagrad, of.model, of.step));
}

// The paper's algorithm as it is written there.
TEST(Adam, FollowsThePaper) {
  const double beta1 = 0.9;
  const double beta2 = 0.99;
  OneFeature<rules::Adam> of({{beta1, beta2, 1e-8}}, 0.1);
  double m = 0;
  double v = 0;
  double w = 0;
  for (int t = 1; t <= 50; ++t) {
    const double g = t % 7 - 2.5;
    prepare_step(UpdateRule::kAdam, of.model.settings, t, of.step);
    of.move(g);
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    w -= 0.1 * (m / (1 - std::pow(beta1, t))) / (std::sqrt(v / (1 - std::pow(beta2, t))) + 1e-8);
    EXPECT_NEAR(of.w, w, 1e-12) << t;  // rounded in another order
  }
}

TEST(Adam, FirstMovesByTheRate) {
  for (const double g : {-4.0, 0.25, 1000.0}) {
    OneFeature<rules::Adam> of({{0.9, 0.999, 1e-8}}, 0.125);
    prepare_step(UpdateRule::kAdam, of.model.settings, 1, of.step);
    of.move(g);
    EXPECT_NEAR(of.w, g > 0 ? -0.125 : 0.125, 1e-8);  // epsilon beside |g|
  }
}

// `auto` becomes another method, and sgd's rule is chosen by its keys.
TEST(Rules, EveryMethodButSgdIsOneOrASolver) {
  for (std::size_t i = 0; i < kMethodNames.size(); ++i) {
    const auto method = static_cast<Method>(i);
    const bool has_none = method == Method::kAuto || method == Method::kSgd || is_solver(method);
    EXPECT_EQ(rule_of_method(kMethodNames[i]).has_value(), !has_none) << kMethodNames[i];
  }
  EXPECT_EQ(rule_of_method("adagrad"), UpdateRule::kAdagrad);
  EXPECT_EQ(rule_of_method("adam"), UpdateRule::kAdam);
}

TEST(Rules, AreListedInTheOrderOfTheirNumbers) {
  std::vector<bool> slopes;
  std::vector<bool> scaled;
  each_rule([&](auto kind) {
    using R = typename decltype(kind)::Rule;
    slopes.push_back(R::kNeedsSlope);
    scaled.push_back(R::kScalesWeights);
  });
  ASSERT_EQ(slopes.size(), static_cast<std::size_t>(UpdateRule::kCount));
  EXPECT_TRUE(slopes[static_cast<std::size_t>(UpdateRule::kAdaptive)]);
  EXPECT_TRUE(scaled[static_cast<std::size_t>(UpdateRule::kScaled)]);
  EXPECT_TRUE(traits_of(UpdateRule::kNesterov).looks_ahead);
  EXPECT_EQ(traits_of(UpdateRule::kMomentum).states, 1);
  EXPECT_EQ(traits_of(UpdateRule::kDescent).states, 0);
}

}  // namespace
}  // namespace ossau
