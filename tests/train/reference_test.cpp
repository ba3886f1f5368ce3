#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "data/text/source_files.hpp"
#include "ossau/ossau.hpp"
#include "support/files.hpp"
#include "train/training_samples.hpp"

// Real data against optima that were computed exactly elsewhere (float64 Newton; reference.json).

namespace ossau::test {
namespace {

nlohmann::json reference_of(const std::string& name) {
  return nlohmann::json::parse(read_file(*reference_data("reference.json"))).at("sets").at(name);
}

void expect_metrics(const Metrics& metrics, const nlohmann::json& expected,
                    const std::string& what) {
  // Three digits.
  EXPECT_NEAR(metrics.accuracy, expected.at("accuracy").get<double>(), 5e-4) << what;
  EXPECT_NEAR(metrics.auc, expected.at("auc").get<double>(), 5e-4) << what;
}

void expect_optimum(const std::string& name, const std::string& train, const std::string& test,
                    const std::vector<Layout>& layouts = {Layout::kDense, Layout::kSparse}) {
  const nlohmann::json reference = reference_of(name);
  ASSERT_EQ(reference.at("results").size(), 2u);
  for (const nlohmann::json& expected : reference.at("results")) {
    Config config;
    config.data.train = {train};
    config.data.validation = {test};
    config.data.standardize = AutoBool::kFalse;
    config.data.shuffle = false;
    config.model.l2 = expected.at("lam").get<double>();
    config.optimizer.restart = Restart::kAdaptive;
    config.training.batch_size = TrainingConfig::kAllRows;
    config.training.epochs = 5000;
    config.training.evaluate_every = 5000;
    for (const Layout layout : layouts) {
      config.data.layout = layout;
      const Summary summary = train_quietly(config).summary;
      const double optimum = expected.at("objective").get<double>();
      const std::string what = name + " " + std::to_string(*config.model.l2) + " " + summary.layout;
      EXPECT_NEAR(summary.train.objective, optimum, 1e-6 * optimum) << what;
      expect_metrics(summary.train, expected.at("train"), what + " train");
      expect_metrics(*summary.validation, expected.at("test"), what + " test");
    }
  }
}

TEST(Reference, A9aReachesTheOptimum) {
  const auto train = reference_data("a9a/a9a");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  expect_optimum("a9a", train->string(), reference_data("a9a/a9a.t")->string());
}

TEST(Reference, AgaricusReachesTheOptimum) {
  const auto train = reference_data("agaricus/agaricus.txt.train");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  expect_optimum("agaricus", train->string(),
                 reference_data("agaricus/agaricus.txt.test")->string());
}

TEST(Reference, HiggsReachesTheOptimum) {
  const auto train = reference_data("higgs_sample/binary.train");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  expect_optimum("higgs_sample", train->string(),
                 reference_data("higgs_sample/binary.test")->string());
}

// The reference took every fifth row, i % 5 == 4, for the test.
TEST(Reference, FertilityReachesTheOptimum) {
  const auto source = reference_data("fertility/fertility_numeric.csv.gz");
  if (!source) GTEST_SKIP() << "the reference data is not on this machine";
  std::istringstream lines(read_source(source->string()).text);
  std::string line;
  std::getline(lines, line);
  std::string train = line + "\n";
  std::string test = train;
  for (int i = 0; std::getline(lines, line); ++i) (i % 5 == 4 ? test : train) += line + "\n";
  const TemporaryDirectory directory;
  // Few, full columns: the sparse layout would only be slow.
  expect_optimum("fertility_mod5", directory.write("train.csv", train).string(),
                 directory.write("test.csv", test).string(), {Layout::kDense});
}

TEST(Reference, ShippedMinibatchConfigReachesTheA9aOptimum) {
  const auto train = reference_data("a9a/a9a");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  const Config config =
      load_config(source_directory() / "configs" / "minibatch_momentum.yaml",
                  {"data.train=" + train->string(), "data.validation_fraction=0",
                   "data.validation=" + reference_data("a9a/a9a.t")->string(),
                   "data.standardize=false", "data.csv.label=null", "model.l2=1e-4"});
  EXPECT_EQ(config.training.epochs, 20);
  const double optimum = reference_of("a9a").at("results")[1].at("objective").get<double>();
  const Summary summary = train_quietly(config).summary;
  EXPECT_NEAR(summary.train.objective, optimum, 1e-3 * optimum);
}

TEST(Reference, WorkshopDataReachesTheWorkshopsAccuracy) {
  const auto train = reference_data("workshop/data_training.csv");
  if (!train) GTEST_SKIP() << "the reference data is not on this machine";
  Config config;
  config.data.train = {train->string()};
  config.data.validation = {reference_data("workshop/data_test.csv")->string()};
  const Summary summary = train_quietly(config).summary;
  EXPECT_GE(summary.validation->accuracy, 284.0 / 300);
}

}  // namespace
}  // namespace ossau::test
