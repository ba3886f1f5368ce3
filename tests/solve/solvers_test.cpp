#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "solve/float64_objective.hpp"
#include "solve/solved.hpp"

// What every solver must do, on both layouts.

namespace ossau::test {
namespace {

struct SolverOnLayout {
  SolverKind kind;
  Layout layout;
};

std::vector<SolverOnLayout> solvers_on_layouts() {
  std::vector<SolverOnLayout> all;
  for (const SolverKind& kind : solver_kinds()) {
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) all.push_back({kind, layout});
  }
  return all;
}

std::string name_of(const SolverOnLayout& each) {
  return each.kind.name + (each.layout == Layout::kDense ? "_dense" : "_sparse");
}

class Solvers : public ::testing::TestWithParam<SolverOnLayout> {
 protected:
  static SolverSample sample(const TableShape& shape) {
    return {.table = make_table(shape),
            .columns = shape.columns,
            .layout = GetParam().layout,
            .l2 = 1e-3};
  }
  static SolverSample usual_sample() {
    return sample({.rows = 500, .columns = 12, .density = 0.6, .weighted = true});
  }
  // Columns of sizes 1 to 2^11.
  static SolverSample uneven_sample() {
    return sample(
        {.rows = 500, .columns = 12, .density = 0.6, .weighted = true, .column_factor = 2});
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

// A claimed gap must be true as well: 1e-10 is what float32 residuals may move it.
void expect_certified(const SolverSample& sample, const Solved& found, double wanted) {
  EXPECT_TRUE(found.more);
  EXPECT_LE(found.gap, wanted);
  const Float64Objective exact(sample);
  const double least = exact.value(exact.minimum());
  EXPECT_LE(exact.value(found.point) - least, (1.001 * found.gap + 1e-10) * least);
}

TEST_P(Solvers, GoToTheGapThatIsWantedInFewReads) {
  const SolverSample sample = usual_sample();
  for (const double wanted : {1e-6, 1e-9}) {
    const Solved found = solved(sample, wanted);
    expect_certified(sample, found, wanted);
    EXPECT_LE(found.iterations, 20) << wanted;
    EXPECT_LE(found.reads, 60) << wanted;
    EXPECT_EQ(found.grams > 0, GetParam().kind.name == "gram_lbfgs");
  }
}

TEST_P(Solvers, GiveTheSameBitsOnEveryNumberOfRanks) {
  for (const SolverSample& sample : {usual_sample(), uneven_sample()}) {
    const Solved alone = solved(sample, 1e-9);
    EXPECT_EQ(solved(sample, 1e-9), alone);
    for (const std::int64_t ranks : {2, 3}) EXPECT_EQ(solved(sample, 1e-9, ranks), alone) << ranks;
  }
}

TEST_P(Solvers, ConvergeOnColumnsOfVeryUnequalSizes) {
  const SolverSample sample = uneven_sample();
  const Solved found = solved(sample, 1e-6);
  expect_certified(sample, found, 1e-6);
  EXPECT_LE(found.iterations, 40);
}

TEST_P(Solvers, ConvergeWithoutAnIntercept) {
  SolverSample sample = usual_sample();
  sample.intercept = false;
  const Solved found = solved(sample, 1e-9);
  expect_certified(sample, found, 1e-9);
  EXPECT_EQ(found.point.back(), 0.0);
}

TEST_P(Solvers, ComeBackFromAFarStart) {
  const SolverSample sample = usual_sample();
  for (const double distance : {10.0, 1e3}) {
    const auto work = [&](Objective& objective) {
      return solve_from(objective, GetParam().kind, Vector(objective.size(), distance), 1e-6);
    };
    const Solved found = sample.on_ranks(1, work)[0];
    SCOPED_TRACE(distance);
    expect_certified(sample, found, 1e-6);
  }
}

// Columns that are there twice, one that no row has, one that one row has.
TEST_P(Solvers, ConvergeOnCollinearAndEmptyColumns) {
  const TableShape shape{.rows = 300, .columns = 8, .density = 0.6};
  const Table plain = make_table(shape);
  SolverSample sample{
      .table = {}, .columns = 11, .layout = GetParam().layout, .l2 = 1e-5, .intercept = true};
  sample.table.label = plain.label;
  for (std::int64_t i = 0; i < plain.rows(); ++i) {
    const auto add = [&](std::uint32_t column, double value) {
      if (value == 0) return;
      sample.table.index.push_back(column);
      sample.table.value.push_back(value);
    };
    for (std::uint32_t j = 0; j < 8; ++j) add(j, entry(plain, i, j));
    add(8, entry(plain, i, 3));
    if (i == 100) add(10, 1);
    sample.table.row_start.push_back(static_cast<std::int64_t>(sample.table.index.size()));
  }
  const Solved found = solved(sample, 1e-8);
  expect_certified(sample, found, 1e-8);
  EXPECT_EQ(found.point[9], 0.0);
}

// No bound is known then; what the solvers estimate is near the truth at the end.
TEST_P(Solvers, EstimateTheGapWithoutL2) {
  SolverSample sample = usual_sample();
  sample.l2 = 0;
  const Solved found = solved(sample, 1e-8);
  EXPECT_LE(found.gap, 1e-8);
  const Float64Objective exact(sample);
  const double least = exact.value(exact.minimum());
  EXPECT_LE(exact.value(found.point) - least, 1e-7 * least);
}

TEST_P(Solvers, StopWhereFloat32AllowsNoBetter) {
  const Solved found = solved(usual_sample(), 0);
  EXPECT_LT(found.gap, 1e-9);
}

// Wherever it is taken, a state is all that there is to know.
TEST_P(Solvers, GoOnFromAnyStateAsIfTheyHadNotStopped) {
  std::vector<std::pair<SolverSample, double>> cases = {
      {usual_sample(), 1e-9}, {uneven_sample(), 1e-6}, {usual_sample(), 1e-9}};
  cases[2].first.l2 = 0;
  for (const auto& [sample, wanted] : cases) {
    std::vector<SolverState> states;
    const auto watched = [&states, gap = wanted](Objective& objective) {
      SolverState start;
      start.point.resize(objective.size());
      const auto solver = GetParam().kind.make(objective, std::move(start));
      states = {solver->state()};
      return solve(objective, *solver, gap, 0,
                   [&](const Solver& at) { states.push_back(at.state()); });
    };
    const Solved whole = sample.on_ranks(1, watched)[0];
    ASSERT_GE(whole.iterations, 5);
    ASSERT_EQ(states.size(), static_cast<std::size_t>(whole.iterations + 1));
    for (std::size_t k = 0; k < states.size(); ++k) {
      const auto go_on = [&states, k, gap = wanted](Objective& objective) {
        const auto solver = GetParam().kind.make(objective, states[k]);
        return solve(objective, *solver, gap, static_cast<int>(k), [](const Solver&) {});
      };
      const auto ranks = static_cast<std::int64_t>(1 + k % 3);
      for (const Solved& each : sample.on_ranks(ranks, go_on)) {
        EXPECT_EQ(each, whole) << "after " << k << " of " << whole.iterations;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Solvers, ::testing::ValuesIn(solvers_on_layouts()),
                         [](const auto& each) { return name_of(each.param); });

}  // namespace
}  // namespace ossau::test
