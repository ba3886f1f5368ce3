#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/cuda/cuda_backend.hpp"
#include "ossau/ossau.hpp"
#include "simt/interpreter.hpp"
#include "train/training_contract.hpp"

// The shipped configurations on their real data, with every kernel run on the CPU.

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> shipped_configs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(source_directory() / "configs")) {
    names.push_back(entry.path().stem().string());
  }
  return names;
}

// memory_bytes: that rows may take; little makes them stream.
Outcome interpreted_outcome(const Config& config,
                            std::optional<std::int64_t> memory_bytes = std::nullopt) {
  simt::set_seed(5);
  return outcome_of(config, [memory_bytes](const RunConfig&, RankInfo rank, std::int64_t,
                                           BackendRows rows, const ModelSetup& setup) {
    return cuda::make_cuda_backend(
        {.device = 0, .ranks_here = rank.size, .memory_bytes = memory_bytes}, std::move(rows),
        setup);
  });
}

class InterpretedConfig : public ::testing::TestWithParam<std::string> {};

TEST_P(InterpretedConfig, GivesTheModelAndTheMetricsOfTheCpu) {
  fs::current_path(source_directory());  // its paths are relative
  const Config config = load_config("configs/" + GetParam() + ".yaml", {"training.epochs=20"});
  EXPECT_EQ(interpreted_outcome(config), outcome_of(config, make_backend));
}

INSTANTIATE_TEST_SUITE_P(Shipped, InterpretedConfig, ::testing::ValuesIn(shipped_configs()),
                         [](const auto& each) { return each.param; });

struct RealData {
  std::string name;
  std::string train;
  std::string test;
};

class InterpretedData : public ::testing::TestWithParam<RealData> {};

TEST_P(InterpretedData, GivesTheModelAndTheMetricsOfTheCpu) {
  const auto train = reference_data(GetParam().train);
  const auto test = reference_data(GetParam().test);
  if (!train || !test) GTEST_SKIP() << "the reference data is not on this machine";
  Config config = small_config(*train);
  config.data.validation = {test->string()};
  config.model.l2 = 1e-4;
  config.optimizer.momentum = 0.9;
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    config.data.layout = layout;
    for (const std::int64_t batch : {64, 4096}) {
      config.training.batch_size = batch;
      const Outcome expected = outcome_of(config, make_backend);
      EXPECT_EQ(interpreted_outcome(config), expected) << batch;
      // Some of the arrays are so large that they are locked in place.
      if (batch > 64) {
        EXPECT_EQ(interpreted_outcome(config, 1'000'000), expected) << "streamed";
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Real, InterpretedData,
                         ::testing::Values(RealData{"a9a", "a9a/a9a", "a9a/a9a.t"},
                                           RealData{"agaricus", "agaricus/agaricus.txt.train",
                                                    "agaricus/agaricus.txt.test"},
                                           RealData{"higgs", "higgs_sample/binary.train",
                                                    "higgs_sample/binary.test"}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ossau::test
