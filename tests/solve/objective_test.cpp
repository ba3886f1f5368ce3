#include "solve/objective.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "solve/float64_objective.hpp"
#include "solve/solve_samples.hpp"

namespace ossau::test {
namespace {

SolverSample sample(Layout layout, bool intercept = true) {
  const TableShape shape{
      .rows = 400, .columns = 7, .density = 0.7, .weighted = true, .column_factor = 2};
  return {.table = make_table(shape),
          .columns = shape.columns,
          .layout = layout,
          .l2 = 0.03,
          .intercept = intercept};
}

Vector random_vector(std::size_t size, double scale, std::uint64_t seed) {
  Vector result(size);
  for (std::size_t j = 0; j < size; ++j) result[j] = scale * (uniform(seed, j) - 0.5);
  return result;
}

// Everything that an objective is asked for, and where.
struct Answers {
  Vector point;
  Vector direction;
  Evaluation at;
  Vector product;
  std::vector<LineDerivatives> line;

  std::vector<double> numbers() const {
    std::vector<double> all = {at.value};
    for (const Vector* part : {&at.gradient, &at.curvature, &at.diagonal, &product}) {
      all.insert(all.end(), part->begin(), part->end());
    }
    for (const LineDerivatives& each : line) all.insert(all.end(), {each.first, each.second});
    return all;
  }
};

constexpr float kSteps[] = {0, 0.5F, 2};

Answers ask(Objective& objective) {
  Answers answers;
  answers.point = objective.rounded(random_vector(objective.size(), 0.5, 1));
  answers.direction = objective.rounded(random_vector(objective.size(), 0.2, 2));
  answers.at =
      objective.evaluate(answers.point, ScoreSlot{0}, {.curvature = true, .diagonal = true});
  answers.product = objective.hessian_times(answers.direction, ScoreSlot{0}, ScoreSlot{1});
  answers.line = objective.derivatives({.point = answers.point,
                                        .direction = answers.direction,
                                        .scores = ScoreSlot{0},
                                        .slopes = ScoreSlot{1},
                                        .largest_slope = objective.largest_score(ScoreSlot{1})},
                                       kSteps);
  return answers;
}

TEST(Objective, HasTheSameBitsOnEveryNumberOfRanks) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    const std::vector<double> alone = sample(layout).on_ranks(1, ask)[0].numbers();
    for (const Answers& of_rank : sample(layout).on_ranks(3, ask)) {
      EXPECT_EQ(of_rank.numbers(), alone);
    }
  }
}

void expect_near(const Vector& got, const Vector& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t j = 0; j < got.size(); ++j) EXPECT_NEAR(got[j], expected[j], tolerance) << j;
}

// Features are up to 160 here.  Scores and what rows add are float32, good to a few 2^-24 of their
// size.
TEST(Objective, HasTheValuesAndDerivativesOfItsFormula) {
  const SolverSample rows = sample(Layout::kDense);
  const Float64Objective expected(rows);
  const Answers got = rows.on_ranks(1, ask)[0];
  EXPECT_TRUE(got.at.finite);
  EXPECT_NEAR(got.at.value, expected.value(got.point), 1e-5);
  expect_near(got.at.gradient, expected.gradient(got.point), 1e-4);
  expect_near(got.product, expected.hessian_times(got.point, got.direction), 1e-3);
  for (std::size_t j = 0; j < got.point.size(); ++j) {
    Vector unit(got.point.size());
    unit[j] = 1;
    const Vector row = expected.hessian_times(got.point, unit);
    EXPECT_NEAR(got.at.diagonal[j], row[j], 1e-4 * row[j]) << j;
    if (j + 1 == unit.size()) expect_near(got.at.curvature, row, 1e-4);
  }
  for (std::size_t k = 0; k < std::size(kSteps); ++k) {
    Vector moved = got.point;
    axpy(static_cast<double>(kSteps[k]), got.direction, moved);
    EXPECT_NEAR(got.line[k].first, dot(expected.gradient(moved), got.direction), 1e-4);
    EXPECT_NEAR(got.line[k].second,
                dot(expected.hessian_times(moved, got.direction), got.direction), 1e-3);
    EXPECT_TRUE(got.line[k].finite);
  }
}

// Between two points that are next to each other, scores differ by their rounding and not by the
// direction's share.
TEST(Objective, TakesSlopesThatAreTheNoiseOfScores) {
  const SolverSample rows = sample(Layout::kDense);
  rows.on_ranks(1, [&](Objective& objective) {
    const Vector point = objective.rounded(random_vector(objective.size(), 20, 1));
    Vector there = point;
    axpy(1e-7, random_vector(objective.size(), 1, 2), there);
    there = objective.rounded(there);
    Vector along = there;
    axpy(-1, point, along);
    objective.evaluate(point, ScoreSlot{0}, {});
    objective.evaluate(there, ScoreSlot{1}, {});
    objective.subtract_scores(ScoreSlot{1}, ScoreSlot{0}, ScoreSlot{2});
    const double largest = objective.largest_score(ScoreSlot{2});
    const float steps[] = {0};
    const LineDerivatives at = objective.derivatives({.point = point,
                                                      .direction = along,
                                                      .scores = ScoreSlot{0},
                                                      .slopes = ScoreSlot{2},
                                                      .largest_slope = largest},
                                                     steps)[0];
    const double l2 = objective.penalties().l2;
    const auto features = [](const Vector& v) { return std::span(v).first(v.size() - 1); };
    EXPECT_LE(std::fabs(at.first - l2 * dot(features(point), features(along))), largest);
    const double second = at.second - l2 * dot(features(along), features(along));
    EXPECT_GE(second, 0);
    EXPECT_LE(second, largest * largest / 4);
    return 0;
  });
}

TEST(Objective, KeepsAnAbsentInterceptAtZero) {
  const auto answers = sample(Layout::kDense, false).on_ranks(1, ask);
  EXPECT_EQ(answers[0].point.back(), 0.0);
  EXPECT_EQ(answers[0].at.gradient.back(), 0.0);
  EXPECT_EQ(answers[0].product.back(), 0.0);
}

TEST(Objective, RoundsPointsToWhatScoresRows) {
  sample(Layout::kDense).on_ranks(1, [](Objective& objective) {
    const Vector point = objective.rounded(random_vector(objective.size(), 0.7, 3));
    EXPECT_EQ(objective.rounded(point), point);
    return 0;
  });
}

TEST(Objective, SaysWhereScoresAreNotFinite) {
  sample(Layout::kSparse).on_ranks(3, [](Objective& objective) {
    const Vector far(objective.size(), 1e38);
    EXPECT_FALSE(objective.evaluate(far, ScoreSlot{0}, {}).finite);
    EXPECT_TRUE(objective.hessian_times(far, ScoreSlot{0}, ScoreSlot{1}).empty());
    const float steps[] = {1};
    const Line line{.point = far,
                    .direction = far,
                    .scores = ScoreSlot{0},
                    .slopes = ScoreSlot{0},
                    .largest_slope = objective.largest_score(ScoreSlot{0})};
    EXPECT_FALSE(objective.derivatives(line, steps)[0].finite);
    return 0;
  });
}

}  // namespace
}  // namespace ossau::test
