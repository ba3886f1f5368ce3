#include "solve/certificate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "solve/float64_objective.hpp"
#include "solve/random_sample.hpp"

namespace ossau::test {
namespace {

struct Bounded {
  Vector point;
  double bound = 0;
  double value = 0;
};

// Bounds at points around the minimum, from far to near.
std::vector<Bounded> bounds_around(const Vector& minimum, Objective& objective,
                                   std::uint64_t seed) {
  constexpr double kDistances[] = {3, 1, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 0};
  std::vector<Bounded> all;
  for (const double distance : kDistances) {
    Vector point = minimum;
    for (std::size_t j = 0; j < point.size(); ++j) {
      point[j] += distance * (2 * uniform(2000 + seed, all.size() * 64 + j) - 1);
    }
    point = objective.rounded(point);
    const Evaluation at = objective.evaluate(point, ScoreSlot{0}, {.curvature = true});
    all.push_back({point, gap_bound(at, point, objective.penalties()), at.value});
  }
  return all;
}

// The proof is about exact sums.  Residuals are float32 ones: they move a bound by less than a
// thousandth of it, or of 1e-10 of the value where all but nothing is left.
TEST(Certificate, IsNeverBelowTheTrueGap) {
  constexpr std::uint64_t kProblems = 60;
  int points = 0;
  int known = 0;
  double tightest = INFINITY;
  for (std::uint64_t seed = 0; seed < kProblems; ++seed) {
    const SolverSample sample = random_sample(seed);
    const Float64Objective exact(sample);
    const Vector minimum = exact.minimum();
    const double least = exact.value(minimum);
    const auto look = [&](Objective& objective) { return bounds_around(minimum, objective, seed); };
    const std::vector<Bounded> bounds = sample.on_ranks(1, look)[0];
    for (const Bounded& each : bounds) {
      const double gap = exact.value(each.point) - least;
      EXPECT_LE(gap, 1.001 * each.bound + 1e-10 * least)
          << "problem " << seed << ", l2 " << sample.l2;
      ++points;
      if (!std::isfinite(each.bound)) continue;
      ++known;
      if (gap > 1e-9 * least) tightest = std::fmin(tightest, each.bound / gap);
    }
  }
  EXPECT_GE(points, 400);
  EXPECT_GE(known, 300);
  // It is no idle bound: along features that no row curves it is the gap itself.
  EXPECT_LT(tightest, 1.1);
}

TEST(Certificate, VanishesAtTheMinimum) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    SolverSample sample = random_sample(seed);
    sample.l2 = 0.01;
    const Vector minimum = Float64Objective(sample).minimum();
    sample.on_ranks(1, [&](Objective& objective) {
      const Vector point = objective.rounded(minimum);
      const Evaluation at = objective.evaluate(point, ScoreSlot{0}, {.curvature = true});
      EXPECT_LT(relative_gap(gap_bound(at, point, objective.penalties()), at.value), 1e-9) << seed;
      return 0;
    });
  }
}

double bound_at_zero(const Evaluation& at, double l2) {
  return gap_bound(at, Vector(at.gradient.size()), {.l2 = l2});
}

Evaluation evaluation_of(Vector gradient, Vector curvature) {
  Evaluation evaluation;
  evaluation.gradient = std::move(gradient);
  evaluation.curvature = std::move(curvature);
  return evaluation;
}

TEST(Certificate, IsItsFormula) {
  // |3 - 2 g_b / c_b|^2 / (2 l2) + g_b^2 / c_b
  EXPECT_DOUBLE_EQ(bound_at_zero(evaluation_of({3, 0.1}, {2, 0.2}), 0.5), 4 + 0.05);
  EXPECT_DOUBLE_EQ(bound_at_zero(evaluation_of({3, 0}, {2, 0.2}), 0.5), 9);
  // At the very end of what is allowed, and just beyond it.
  EXPECT_DOUBLE_EQ(bound_at_zero(evaluation_of({0, -0.2}, {0, 0.2}), 0.5), 0.2);
  EXPECT_EQ(bound_at_zero(evaluation_of({0, 0.2000001}, {0, 0.2}), 0.5), INFINITY);
}

TEST(Certificate, IsInfiniteWhereNothingIsKnown) {
  EXPECT_EQ(bound_at_zero(evaluation_of({0, 0}, {1, 1}), 0), INFINITY) << "without l2";
  EXPECT_EQ(bound_at_zero(evaluation_of({0, 1e-300}, {0, 0}), 1), INFINITY) << "no curvature left";
  EXPECT_EQ(bound_at_zero(evaluation_of({0, NAN}, {0, 1}), 1), INFINITY);
  Evaluation clamped = evaluation_of({0, 0}, {1, 1});
  clamped.finite = false;
  EXPECT_EQ(bound_at_zero(clamped, 1), INFINITY);
}

TEST(Certificate, IsAShareOfTheLeastValue) {
  EXPECT_DOUBLE_EQ(relative_gap(0.25, 0.75), 0.5);
  EXPECT_EQ(relative_gap(0, 0.75), 0);
  EXPECT_EQ(relative_gap(0.75, 0.75), INFINITY);
  EXPECT_EQ(relative_gap(INFINITY, 0.75), INFINITY);
}

}  // namespace
}  // namespace ossau::test
