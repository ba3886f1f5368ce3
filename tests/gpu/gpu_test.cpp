#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "backend/backend_contract.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "backend/solver_passes_contract.hpp"
#include "gpu/shared_memory.hpp"
#include "train/resume_contract.hpp"

// What tests/simt shows of the kernels on the CPU, on a GPU.

namespace ossau::test {
namespace {

std::string why_no_gpu_here() {
  const std::string reason = cuda::why_no_device();
  return reason.empty() ? "" : "no GPU: " + reason;
}

int first_gpu() { return cuda::usable_devices().front(); }

BackendMaker on_gpu(std::optional<std::int64_t> memory_bytes) {
  return [memory_bytes](const RunConfig&, RankInfo rank, std::int64_t, BackendRows rows,
                        const ModelSetup& setup) {
    return cuda::make_cuda_backend(
        {.device = first_gpu(), .ranks_here = rank.size, .memory_bytes = memory_bytes},
        std::move(rows), setup);
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

INSTANTIATE_TEST_SUITE_P(Gpu, SolverContract,
                         ::testing::ValuesIn(solver_cases({gpu_case("resident", std::nullopt),
                                                           gpu_case("streamed", 100'000)})),
                         [](const auto& each) { return name_of(each.param); });

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
        << config.data.train.front() << ", batches of " << config.training.batch_size.value_or(0);
  }
}

// So many rows of so many columns, of which each row has a few that are not 0.
std::filesystem::path write_scattered_libsvm(const TemporaryDirectory& directory, std::int64_t rows,
                                             std::int64_t columns) {
  constexpr std::int64_t kPart = 4;
  std::string text;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::uint64_t>(i);
    text += uniform(3, row) < 0.4 ? "1" : "0";
    for (std::int64_t first = i % 8 * kPart; first < columns; first += 8 * kPart) {
      const double place = uniform(11 + row, static_cast<std::uint64_t>(first));
      text += fmt::format(" {}:{:.3}", first + 1 + static_cast<std::int64_t>(kPart * place),
                          place - 0.3);
    }
    text += "\n";
  }
  text += fmt::format("1 {}:1\n", columns);
  return directory.write(fmt::format("scattered{}.svm", columns), text);
}

// Batches that half of the multiprocessors share, and all of them.
TEST(GpuShapes, ShareSmallStepsAmongManyBlocks) {
  if (!why_no_gpu_here().empty()) GTEST_SKIP() << why_no_gpu_here();
  const TemporaryDirectory directory;
  for (const auto& [columns, batch] : {std::pair{28, 16'384}, std::pair{256, 65'536}}) {
    Config config = small_config(write_scattered_libsvm(directory, 2 * batch - 1, columns));
    config.data.layout = Layout::kDense;
    config.optimizer.momentum = 0.9;
    config.training.batch_size = batch;
    config.training.epochs = 5;  // of two steps
    EXPECT_EQ(outcome_of(config, on_gpu(std::nullopt)), outcome_of(config, make_backend))
        << columns << " columns, batches of " << batch;
  }
}

// What the launchers count on: no part of it is taken by CUDA, by the compiler or by a kernel.
TEST(GpuShapes, LetABlockHaveAllOfItsSharedMemory) {
  if (!why_no_gpu_here().empty()) GTEST_SKIP() << why_no_gpu_here();
  const cuda::DeviceInfo device = cuda::use_device(first_gpu());
  const cuda::Stream stream(cuda::make_stream());
  const SharedMemorySeen seen = use_shared_memory(device.shared_bytes, stream.get());
  fmt::print("{} bytes of shared memory, {} static ones beside them\n", device.shared_bytes,
             seen.static_bytes);
  EXPECT_EQ(seen.dynamic_bytes, device.shared_bytes);
  EXPECT_EQ(seen.first_word, 1u);
  EXPECT_EQ(seen.last_word, 2u);
}

// So many tiles for each multiprocessor that every slot of its ring is filled several times.
class GpuRing : public ::testing::TestWithParam<TableShape> {};

TEST_P(GpuRing, IsFilledAgainAndAgain) {
  if (!why_no_gpu_here().empty()) GTEST_SKIP() << why_no_gpu_here();
  expect_reference_sums(gpu_case("ring", std::nullopt), GetParam(), Layout::kDense, 1.0);
}

INSTANTIATE_TEST_SUITE_P(Columns, GpuRing,
                         ::testing::Values(TableShape{.rows = 845'000, .columns = 28},
                                           TableShape{.rows = 300'000, .columns = 100},
                                           TableShape{.rows = 4'000'000, .columns = 3}),
                         [](const auto& each) { return std::to_string(each.param.columns); });

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
