#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "backend/backend_contract.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "train/resume_contract.hpp"

// What tests/simt shows of the kernels on the CPU, on a GPU.

namespace ossau::test {
namespace {

std::string why_no_gpu_here() {
  const std::string reason = cuda::why_no_device();
  return reason.empty() ? "" : "no GPU: " + reason;
}

BackendMaker on_gpu(std::optional<std::int64_t> memory_bytes) {
  return [memory_bytes](const RunConfig&, RankInfo rank, std::int64_t, BackendRows rows,
                        const ModelSetup& setup) {
    return cuda::make_cuda_backend(
        {.device = 0, .ranks_here = rank.size, .memory_bytes = memory_bytes}, std::move(rows),
        setup);
  };
}

BackendCase gpu_case(const std::string& name, std::optional<std::int64_t> memory_bytes) {
  return {.name = name,
          .make =
              [memory_bytes](BackendRows rows, const ModelSetup& setup) {
                return on_gpu(memory_bytes)({}, {}, 1, std::move(rows), setup);
              },
          .why_not = why_no_gpu_here()};
}

INSTANTIATE_TEST_SUITE_P(Gpu, BackendContract,
                         ::testing::Values(gpu_case("resident", std::nullopt),
                                           gpu_case("streamed", 100'000)),
                         [](const auto& each) { return each.param.name; });

class GpuTraining : public ::testing::TestWithParam<MethodSample> {
 protected:
  void SetUp() override {
    const std::string reason = why_no_gpu_here();
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_P(GpuTraining, GivesTheModelAndTheMetricsOfTheCpu) {
  const TemporaryDirectory directory;
  Config config = config_of(GetParam(), directory);
  const Outcome expected = outcome_of(config, make_backend);
  for (const std::int64_t ranks : {1, 2}) {  // two on one GPU: sums go through the host
    config.run.ranks = ranks;
    for (const std::optional<std::int64_t> memory : {std::optional<std::int64_t>{}, {20'000}}) {
      EXPECT_EQ(outcome_of(config, on_gpu(memory)), expected)
          << ranks << " ranks, " << (memory ? "streamed" : "resident");
    }
  }
}

TEST_P(GpuTraining, GoesOnFromTheCpusCheckpointsAndTheCpuFromIts) {
  expect_resumes_between_cpu_and(on_gpu, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Methods, GpuTraining, ::testing::ValuesIn(method_samples()),
                         [](const auto& each) { return each.param.name; });

TEST(GpuShapes, ListTouchedFeaturesAsTheCpuDoes) {
  if (!why_no_gpu_here().empty()) GTEST_SKIP() << why_no_gpu_here();
  const TemporaryDirectory directory;
  Config config = wide_sparse_config(directory);
  const Outcome expected = outcome_of(config, make_backend);
  EXPECT_EQ(outcome_of(config, on_gpu(std::nullopt)), expected);
  EXPECT_EQ(outcome_of(config, on_gpu(50'000)), expected);
}

TEST(GpuShapes, TakeDenseRowsOfEveryWidth) {
  if (!why_no_gpu_here().empty()) GTEST_SKIP() << why_no_gpu_here();
  const TemporaryDirectory directory;
  for (const std::int64_t columns : {255, 257, 600, 799, 801, 1100, 5000}) {
    const Config config = dense_config(directory, columns);
    const Outcome expected = outcome_of(config, make_backend);
    EXPECT_EQ(outcome_of(config, on_gpu(std::nullopt)), expected) << columns;
    EXPECT_EQ(outcome_of(config, on_gpu(500'000)), expected) << columns << ", streamed";
  }
}

TEST(GpuShapes, TakeManySmallStepsInOneKernel) {
  if (!why_no_gpu_here().empty()) GTEST_SKIP() << why_no_gpu_here();
  const TemporaryDirectory directory;
  for (const Config& config : small_step_configs(directory)) {
    EXPECT_EQ(outcome_of(config, on_gpu(std::nullopt)), outcome_of(config, make_backend))
        << config.data.train.front() << ", batches of " << config.training.batch_size;
  }
}

// More rows than fit the caches, so that every multiprocessor has many tiles.
TEST(GpuShapes, GiveTheCpusSumsOfManyRows) {
  if (!why_no_gpu_here().empty()) GTEST_SKIP() << why_no_gpu_here();
  const BackendCase gpu = gpu_case("many", std::nullopt);
  for (const std::int64_t columns : {3, 28, 100, 300, 784, 1000}) {
    expect_reference_sums(gpu, {.rows = 200'000 / columns + 64 * 600, .columns = columns},
                          Layout::kDense, 1.0);
  }
  expect_reference_sums(gpu, {.rows = 64 * 300, .columns = 3000, .density = 0.01}, Layout::kSparse,
                        1.0);
}

}  // namespace
}  // namespace ossau::test
