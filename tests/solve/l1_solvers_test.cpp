#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "solve/float64_objective.hpp"
#include "solve/l1_quadratic.hpp"
#include "solve/solved.hpp"

namespace ossau::test {
namespace {

double penalty_of(const Vector& w, double l1) {
  double sum = 0;
  for (std::size_t j = 0; j + 1 < w.size(); ++j) sum += std::fabs(w[j]);
  return l1 * sum;
}

// What is left of the optimality conditions at w, as a share of l1.
double violation(const Vector& gradient, const Vector& w, double l1) {
  double worst = std::fabs(gradient.back());
  for (std::size_t j = 0; j + 1 < w.size(); ++j) {
    worst = std::fmax(worst, w[j] == 0 ? std::fabs(gradient[j]) - l1
                                       : std::fabs(gradient[j] + std::copysign(l1, w[j])));
  }
  return worst / l1;
}

TEST(L1Quadratic, EndsWhereItsConditionsHold) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const std::size_t n = 1 + seed % 12;
    std::vector<Vector> rows(n + 5, Vector(n));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < n; ++j) rows[i][j] = uniform(seed, i * n + j) - 0.5;
      if (n > 3) rows[i][2] = rows[i][1];  // the same column twice
    }
    Triangle hessian(n);
    Vector gradient(n);
    Vector start(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = i; j < n; ++j) {
        for (const Vector& row : rows) hessian.row(i)[j - i] += row[i] * row[j];
      }
      // Of a table: equal columns have equal slopes.
      for (std::size_t k = 0; k < rows.size(); ++k) {
        gradient[i] += rows[k][i] * (uniform(seed + 99, k) - 0.5);
      }
      start[i] = uniform(seed + 7, i) < 0.5 ? 0 : uniform(seed + 8, i) - 0.5;
    }
    constexpr double kL1 = 0.1;
    const Vector step = minimize_l1_quadratic(hessian, gradient, start, kL1);
    Vector slope = gradient;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = i; j < n; ++j) {
        slope[i] += hessian.row(i)[j - i] * step[j];
        if (j > i) slope[j] += hessian.row(i)[j - i] * step[i];
      }
    }
    Vector end = start;
    axpy(1, step, end);
    EXPECT_LE(violation(slope, end, kL1), 1e-6) << seed;
  }
}

struct L1Case {
  SolverKind kind;
  Layout layout;
  double l1_share;  // of the smallest l1 at which all weights are 0
  double l2;
};

std::vector<L1Case> l1_cases() {
  std::vector<L1Case> all;
  for (const SolverKind& kind : l1_solver_kinds()) {
    all.push_back({kind, Layout::kDense, 0.4, 0});
    all.push_back({kind, Layout::kDense, 0.3, 1e-3});
    all.push_back({kind, Layout::kSparse, 0.4, 1e-3});
    all.push_back({kind, Layout::kSparse, 0.3, 0});
  }
  return all;
}

class L1Solvers : public ::testing::TestWithParam<L1Case> {
 protected:
  static SolverSample sample() {
    const TableShape shape{.rows = 600, .columns = 15, .density = 0.5, .weighted = true};
    SolverSample rows{.table = make_table(shape),
                      .columns = shape.columns,
                      .layout = GetParam().layout,
                      .l2 = GetParam().l2};
    const Vector slope = Float64Objective(rows).gradient(Vector(16));
    double largest = 0;
    for (std::size_t j = 0; j < 15; ++j) largest = std::fmax(largest, std::fabs(slope[j]));
    rows.l1 = GetParam().l1_share * largest;
    return rows;
  }

  static Solved solved(const SolverSample& sample, double wanted, std::int64_t ranks = 1) {
    const auto work = [&](Objective& objective) {
      return solve_from_zero(objective, GetParam().kind, wanted);
    };
    std::vector<Solved> of_ranks = sample.on_ranks(ranks, work);
    for (const Solved& each : of_ranks) EXPECT_EQ(each, of_ranks[0]);
    return of_ranks[0];
  }
};

TEST_P(L1Solvers, EndWithTheZerosThatTheConditionsAskFor) {
  const SolverSample rows = sample();
  const Solved found = solved(rows, 1e-6);
  EXPECT_TRUE(found.more);
  EXPECT_LE(found.gap, 1e-6);
  EXPECT_LE(found.iterations, 20);
  const Float64Objective exact(rows);
  EXPECT_LE(violation(exact.gradient(found.point), found.point, rows.l1), 1e-2);
  const auto zeros = std::count(found.point.begin(), found.point.end() - 1, 0.0);
  EXPECT_GT(zeros, 0);
  EXPECT_LT(zeros, 15);
}

// The best value that is ever seen stands for the minimum.
TEST_P(L1Solvers, NeverClaimToBeNearerThanTheyAre) {
  const SolverSample rows = sample();
  const Float64Objective exact(rows);
  const auto value = [&](const Vector& w) { return exact.value(w) + penalty_of(w, rows.l1); };
  std::vector<std::pair<double, double>> claims;  // value, gap
  rows.on_ranks(1, [&](Objective& objective) {
    SolverState start;
    start.point.resize(objective.size());
    const auto solver = GetParam().kind.make(objective, std::move(start));
    const auto note = [&](const Solver& at) { claims.emplace_back(value(at.point()), at.gap()); };
    note(*solver);
    return solve(objective, *solver, 0, 0, note);
  });
  ASSERT_GE(claims.size(), 4u);
  const double least = std::min_element(claims.begin(), claims.end())->first;
  for (const auto& [at, gap] : claims) EXPECT_LE(at - least, 1.001 * gap + 1e-9 * least);
  EXPECT_LT(claims.back().second, 1e-5 * least);
}

TEST_P(L1Solvers, GiveTheSameBitsOnEveryNumberOfRanks) {
  const SolverSample rows = sample();
  const Solved alone = solved(rows, 1e-6);
  for (const std::int64_t ranks : {2, 3}) EXPECT_EQ(solved(rows, 1e-6, ranks), alone) << ranks;
}

TEST_P(L1Solvers, GoOnFromAnyStateAsIfTheyHadNotStopped) {
  const SolverSample rows = sample();
  std::vector<SolverState> states;
  const Solved whole = rows.on_ranks(1, [&](Objective& objective) {
    SolverState start;
    start.point.resize(objective.size());
    const auto solver = GetParam().kind.make(objective, std::move(start));
    states = {solver->state()};
    return solve(objective, *solver, 1e-6, 0,
                 [&](const Solver& at) { states.push_back(at.state()); });
  })[0];
  for (std::size_t k = 0; k < states.size(); ++k) {
    const auto go_on = [&](Objective& objective) {
      const auto solver = GetParam().kind.make(objective, states[k]);
      return solve(objective, *solver, 1e-6, static_cast<int>(k), [](const Solver&) {});
    };
    EXPECT_EQ(rows.on_ranks(1, go_on)[0], whole) << "after " << k;
  }
}

INSTANTIATE_TEST_SUITE_P(All, L1Solvers, ::testing::ValuesIn(l1_cases()), [](const auto& each) {
  return each.param.kind.name + (each.param.layout == Layout::kDense ? "_dense" : "_sparse") +
         (each.param.l2 > 0 ? "_elastic" : "_l1");
});

}  // namespace
}  // namespace ossau::test
