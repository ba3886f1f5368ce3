#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "solve/float64_objective.hpp"
#include "solve/random_sample.hpp"
#include "solve/solved.hpp"

// Whatever the data, a solver gets there, and at no iteration claims to be nearer than it is.

namespace ossau::test {
namespace {

constexpr std::uint64_t kSolves = 400;
constexpr double kWanted = 1e-6;

std::vector<SolverKind> kinds_for(bool l1) {
  std::vector<SolverKind> kinds = l1 ? l1_solver_kinds() : solver_kinds();
  kinds.resize(2);
  return kinds;
}

double value_of(const Float64Objective& exact, const Vector& w, double l1) {
  double sum = 0;
  for (std::size_t j = 0; j + 1 < w.size(); ++j) sum += std::fabs(w[j]);
  return exact.value(w) + l1 * sum;
}

// Of rows of one class alone there is nothing to learn: a training refuses them.
bool has_both_classes(const Table& table) {
  double weight[2] = {};
  for (std::size_t i = 0; i < table.label.size(); ++i) {
    weight[table.label[i]] += table.weight.empty() ? 1 : table.weight[i];
  }
  return weight[0] > 0 && weight[1] > 0;
}

// As a share of the smallest penalty at which all weights are 0.
double l1_of(const SolverSample& sample, double share) {
  const Vector slope =
      Float64Objective(sample).gradient(Vector(static_cast<std::size_t>(sample.columns) + 1));
  double largest = 0;
  for (std::size_t j = 0; j + 1 < slope.size(); ++j) {
    largest = std::fmax(largest, std::fabs(slope[j]));
  }
  return share * largest;
}

struct Claim {
  double value = 0;
  double gap = 0;
};

// What a solver claims at each iteration, on to as near as float32 allows.
std::vector<Claim> claims_of(const SolverSample& sample, const Float64Objective& exact,
                             const SolverKind& kind, Solved& wanted) {
  std::vector<Claim> claims;
  const auto note = [&](const Solver& at) {
    claims.push_back({value_of(exact, at.point(), sample.l1), at.gap()});
  };
  sample.on_ranks(1, [&](Objective& objective) {
    SolverState start;
    start.point.resize(objective.size());
    const auto solver = kind.make(objective, std::move(start));
    note(*solver);
    wanted = solve(objective, *solver, kWanted, 0, note);
    return solve(objective, *solver, 1e-11, wanted.iterations, note);
  });
  return claims;
}

TEST(RandomSolves, GetThereAndNeverClaimToBeNearerThanTheyAre) {
  std::size_t claims_seen = 0;
  std::uint64_t solves = 0;
  for (std::uint64_t seed = 0; solves < kSolves; ++seed) {
    SolverSample sample = random_sample(seed);
    if (!has_both_classes(sample.table)) continue;
    const bool has_l1 = seed % 4 >= 2;
    if (has_l1) {
      sample.l1 = l1_of(sample, 0.02 + 0.5 * uniform(3000, seed));
      if (seed % 8 >= 6) sample.l2 = 0;
    }
    const Float64Objective exact(sample);
    std::vector<Claim> all;
    for (const SolverKind& kind : kinds_for(has_l1)) {
      SCOPED_TRACE(testing::Message() << "problem " << seed << ", " << kind.name << ", l1 "
                                      << sample.l1 << ", l2 " << sample.l2);
      Solved wanted;
      const std::vector<Claim> claims = claims_of(sample, exact, kind, wanted);
      EXPECT_LE(wanted.gap, kWanted);
      ++solves;
      all.insert(all.end(), claims.begin(), claims.end());
    }
    // What anybody has seen stands for the minimum, which an l1 penalty gives no formula for.
    double least = has_l1 ? INFINITY : exact.value(exact.minimum());
    for (const Claim& each : all) least = std::fmin(least, each.value);
    for (const Claim& each : all) {
      EXPECT_LE(each.value - least, 1.001 * each.gap + 1e-10 * least) << "problem " << seed;
    }
    claims_seen += all.size();
  }
  EXPECT_GT(claims_seen, 10 * kSolves);
}

}  // namespace
}  // namespace ossau::test
