#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "backend/cuda/cuda_backend.hpp"
#include "simt/interpreter.hpp"
#include "simt/runtime.hpp"
#include "train/resume_contract.hpp"

// Whole trainings with every kernel run on the CPU: the model and all metrics are the CPU's, bit
// for bit.

namespace ossau::test {
namespace {

// memory_bytes: that rows may take; little makes them stream.
BackendMaker interpreted(std::optional<std::int64_t> memory_bytes) {
  return [memory_bytes](const RunConfig&, RankInfo rank, std::int64_t, BackendRows rows,
                        const ModelSetup& setup) {
    return cuda::make_cuda_backend(
        {.device = 0, .ranks_here = rank.size, .memory_bytes = memory_bytes}, std::move(rows),
        setup);
  };
}

class InterpretedTraining : public ::testing::TestWithParam<MethodSample> {};

TEST_P(InterpretedTraining, GivesTheModelAndTheMetricsOfTheCpu) {
  const TemporaryDirectory directory;
  Config config = config_of(GetParam(), directory);
  const Outcome expected = outcome_of(config, make_backend);
  std::uint64_t seed = 1;
  for (const std::int64_t ranks : {1, 2}) {
    config.run.ranks = ranks;
    for (const std::optional<std::int64_t> memory : {std::optional<std::int64_t>{}, {20'000}}) {
      simt::set_seed(seed++);
      EXPECT_EQ(outcome_of(config, interpreted(memory)), expected)
          << ranks << " ranks, " << (memory ? "streamed" : "resident");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, InterpretedTraining, ::testing::ValuesIn(method_samples()),
                         [](const auto& each) { return each.param.name; });

TEST(InterpretedTraining, ListsTouchedFeaturesAsTheCpuDoes) {
  const TemporaryDirectory directory;
  Config config = wide_sparse_config(directory);
  const Outcome expected = outcome_of(config, make_backend);
  EXPECT_EQ(outcome_of(config, interpreted(std::nullopt)), expected);
  EXPECT_EQ(outcome_of(config, interpreted(50'000)), expected);
  config.run.ranks = 2;
  EXPECT_EQ(outcome_of(config, interpreted(std::nullopt)), expected);
}

TEST_P(InterpretedTraining, GoesOnFromTheCpusCheckpointsAndTheCpuFromIts) {
  simt::set_seed(50);
  expect_resumes_between_cpu_and(interpreted, GetParam());
}

// Graphs of steps that list what they touch, cut where checkpoints are due.
TEST(InterpretedTraining, GoesOnInTheMiddleOfGraphs) {
  const TemporaryDirectory directory;
  const Config config = wide_sparse_config(directory);
  const Outcome expected = outcome_of(config, make_backend);
  const auto folder = directory.path() / "checkpoints";
  EXPECT_EQ(outcome_of(with_checkpoints(config, folder, 70), interpreted(std::nullopt)), expected);
  for (const CheckpointEntry& entry : list_checkpoints(folder)) {
    EXPECT_EQ(outcome_from(config, entry.file, make_backend), expected) << entry.file;
    EXPECT_EQ(outcome_from(config, entry.file, interpreted(std::nullopt)), expected) << entry.file;
  }
}

/// Looks how much memory of the device a run takes.
class MeasuredBackend final : public InterruptingBackend {
 public:
  explicit MeasuredBackend(std::unique_ptr<Backend> backend)
      : InterruptingBackend(std::move(backend), 0) {}
  StepGraphs* step_graphs() override {
    measured_.graphs = InterruptingBackend::step_graphs();
    return measured_.graphs == nullptr ? nullptr : &measured_;
  }
  inline static int runs = 0;

 private:
  struct MeasuredGraphs final : StepGraphs {
    void reserve(const BatchOrder& order) override { graphs->reserve(order); }
    void run(const StepRun& run) override {
      const std::size_t before = cuda::use_device(0).free_bytes;
      graphs->run(run);
      EXPECT_EQ(cuda::use_device(0).free_bytes, before);
      ++runs;
    }
    StepGraphs* graphs = nullptr;
  };

  MeasuredGraphs measured_;
};

// Where another rank waits in a sum for this one, taking memory might wait for that rank's device.
TEST(InterpretedTraining, TakesNoMemoryOnceStepsRun) {
  const TemporaryDirectory directory;
  const BackendMaker make = interpreted(std::nullopt);
  const BackendMaker measured = [make](const RunConfig& run, RankInfo rank, std::int64_t threads,
                                       BackendRows rows, const ModelSetup& setup) {
    return std::make_unique<MeasuredBackend>(make(run, rank, threads, std::move(rows), setup));
  };
  for (const Config& config : {wide_sparse_config(directory), dense_config(directory, 40)}) {
    MeasuredBackend::runs = 0;
    outcome_of(config, measured);
    EXPECT_GT(MeasuredBackend::runs, 0);
  }
}

// An epoch of more steps than a device takes by itself: a signal is answered between two runs.
TEST(InterpretedTraining, IsInterruptedInTheMiddleOfALongEpoch) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 1300, .columns = 3}));
  config.data.layout = Layout::kDense;
  config.training.batch_size = 1;
  const Outcome expected = outcome_of(config, make_backend);
  config = with_checkpoints(config, directory.path() / "checkpoints", 1'000'000);
  std::vector<std::int64_t> stopped_at;
  const Interruptions found = outcome_with_interruptions(
      config, interpreted(std::nullopt), 1, [&](Config& each, int attempt) {
        if (attempt > 0) {
          stopped_at.push_back(list_checkpoints(*each.checkpoint.directory).front().steps);
        }
      });
  EXPECT_EQ(found.outcome, expected);
  EXPECT_EQ(stopped_at, (std::vector<std::int64_t>{1024, 1300, 2324, 2600}));
}

// The last ones are wider than shared memory: chunks of tiles are handed out by tickets.
TEST(InterpretedTraining, TakesDenseRowsOfEveryWidth) {
  const TemporaryDirectory directory;
  for (const std::int64_t columns : {255, 257, 600, 1100}) {
    const Config config = dense_config(directory, columns);
    const Outcome expected = outcome_of(config, make_backend);
    EXPECT_EQ(outcome_of(config, interpreted(std::nullopt)), expected) << columns;
    EXPECT_EQ(outcome_of(config, interpreted(500'000)), expected) << columns << ", streamed";
  }
}

// Graphs of wide rows keep the address of scratch memory; passes over all rows come between them.
TEST(InterpretedTraining, KeepsTheMemoryThatGraphsHold) {
  const TemporaryDirectory directory;
  Config config = dense_config(directory, 1100);
  config.training.epochs = 3;
  config.training.batch_size = 20;
  config.training.tolerance = 1e-9;
  config.data.validation_fraction = 0.4;
  EXPECT_EQ(outcome_of(config, interpreted(std::nullopt)), outcome_of(config, make_backend));
}

// One block, several, and rings of every length.
TEST(InterpretedTraining, TakesManySmallStepsInOneKernel) {
  const TemporaryDirectory directory;
  const simt::Limits before = simt::limits();
  for (const Config& config : small_step_configs(directory)) {
    const Outcome expected = outcome_of(config, make_backend);
    for (const int multiprocessors : {3, 8}) {
      simt::Limits limits = before;
      limits.multiprocessors = multiprocessors;
      limits.shared_bytes = multiprocessors == 3 ? std::size_t{99} << 10 : std::size_t{227} << 10;
      simt::set_limits(limits);
      EXPECT_EQ(outcome_of(config, interpreted(std::nullopt)), expected)
          << config.data.train.front() << ", batches of " << config.training.batch_size.value_or(0)
          << " on " << multiprocessors << " multiprocessors";
    }
  }
  simt::set_limits(before);
}

}  // namespace
}  // namespace ossau::test
