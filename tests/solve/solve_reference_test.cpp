#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "comm/threads.hpp"
#include "data/text/source_files.hpp"
#include "solve/solved.hpp"
#include "support/files.hpp"
#include "train/preparation.hpp"

// Solvers reach optima that were computed exactly elsewhere (float64 Newton; reference.json), and
// say so.

namespace ossau::test {
namespace {

constexpr double kWanted = 1e-9;

Solved minimize_on_rank(const SolverKind& kind, const Config& config, const Dataset& dataset,
                        Communicator& communicator) {
  ThreadPool pool(1);
  PreparedData prepared = prepare(config, dataset, communicator, pool);
  const ObjectiveSetup setup{.exponent_power = prepared.transform.exponent_power,
                             .intercept = true,
                             .penalties = {.l2 = *config.model.l2},
                             .rows = prepared.train_rows,
                             .total_weight = prepared.rows.train.total_weight,
                             .lipschitz = prepared.lipschitz};
  ModelSetup model;
  model.exponent_power = setup.exponent_power;
  RunConfig run;
  run.device = Device::kCpu;
  const auto backend = make_backend(run, communicator.rank(), 1, std::move(prepared.rows), model);
  Objective objective(*backend->solver_passes(), communicator, setup);
  objective.reserve(kSolverSlots, {.curvature = true});
  return solve_from_zero(objective, kind, kWanted);
}

std::vector<Solved> minimize(const SolverKind& kind, const Config& config, const Dataset& dataset,
                             std::int64_t ranks) {
  ThreadGroup group(ranks, 120);
  std::vector<Solved> results(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (std::int64_t k = 0; k < ranks; ++k) {
    threads.emplace_back([&, k] {
      results[static_cast<std::size_t>(k)] =
          minimize_on_rank(kind, config, dataset, *group.communicator(k));
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

// The reference's own objective: float64, the columns as they are in the file.
double objective_of(const Table& table, const Vector& weights, double l2) {
  double total = 0;
  for (std::size_t i = 0; i < table.label.size(); ++i) {
    double z = weights.back();
    for (auto k = static_cast<std::size_t>(table.row_start[i]);
         k < static_cast<std::size_t>(table.row_start[i + 1]); ++k) {
      z += table.value[k] * weights[table.index[k]];
    }
    const double m = table.label[i] == 1 ? -z : z;
    total += std::fmax(m, 0) + std::log1p(std::exp(-std::fabs(m)));
  }
  const auto features = std::span(weights).first(weights.size() - 1);
  return total / static_cast<double>(table.label.size()) + l2 / 2 * dot(features, features);
}

void expect_optimum(const SolverKind& kind, const std::string& name, const std::string& train,
                    const std::vector<Layout>& layouts = {Layout::kDense, Layout::kSparse}) {
  const auto all = nlohmann::json::parse(read_file(*reference_data("reference.json")));
  Config config;
  config.data.train = {train};
  config.data.standardize = AutoBool::kFalse;
  config.data.shuffle = false;
  const Dataset dataset = read_dataset(config.data, std::nullopt);
  for (const nlohmann::json& expected : all.at("sets").at(name).at("results")) {
    config.model.l2 = expected.at("lam").get<double>();
    const double optimum = expected.at("objective").get<double>();
    for (const Layout layout : layouts) {
      config.data.layout = layout;
      const Solved alone = minimize(kind, config, dataset, 1)[0];
      const std::string what = name + (layout == Layout::kDense ? " dense " : " sparse ") +
                               std::to_string(*config.model.l2);
      const double gap =
          (objective_of(dataset.train, alone.point, *config.model.l2) - optimum) / optimum;
      std::printf("%s: %d iterations, %d reads, %d Gram matrices, gap %.1e, at most %.1e\n",
                  what.c_str(), alone.iterations, static_cast<int>(alone.reads),
                  static_cast<int>(alone.grams), gap, alone.gap);
      EXPECT_LE(alone.gap, kWanted) << what;
      // Stored features and the reference itself are good to about 1e-10 of the value; its own
      // losses are sums of float32 ones, each good to 2^-23.
      EXPECT_LE(std::fabs(gap), alone.gap + 1e-10) << what;
      EXPECT_NEAR(alone.value, optimum, 2e-7 * optimum) << what;
      for (const Solved& of_rank : minimize(kind, config, dataset, 3)) {
        EXPECT_EQ(of_rank, alone) << what;
      }
    }
  }
}

class SolverReference : public ::testing::TestWithParam<SolverKind> {};

TEST_P(SolverReference, A9aReachesTheOptimum) {
  const auto train = reference_data("a9a/a9a");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  expect_optimum(GetParam(), "a9a", train->string());
}

TEST_P(SolverReference, AgaricusReachesTheOptimum) {
  const auto train = reference_data("agaricus/agaricus.txt.train");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  expect_optimum(GetParam(), "agaricus", train->string());
}

TEST_P(SolverReference, HiggsReachesTheOptimum) {
  const auto train = reference_data("higgs_sample/binary.train");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  expect_optimum(GetParam(), "higgs_sample", train->string());
}

// The reference took every fifth row, i % 5 == 4, for the test.
TEST_P(SolverReference, FertilityReachesTheOptimum) {
  const auto source = reference_data("fertility/fertility_numeric.csv.gz");
  if (!source) GTEST_SKIP() << "the reference data is not on this machine";
  std::istringstream lines(read_source(source->string()).text);
  std::string line;
  std::getline(lines, line);
  std::string train = line + "\n";
  for (int i = 0; std::getline(lines, line); ++i) train += i % 5 == 4 ? "" : line + "\n";
  const TemporaryDirectory directory;
  expect_optimum(GetParam(), "fertility_mod5", directory.write("train.csv", train).string(),
                 {Layout::kDense});
}

INSTANTIATE_TEST_SUITE_P(All, SolverReference, ::testing::ValuesIn(solver_kinds()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ossau::test
