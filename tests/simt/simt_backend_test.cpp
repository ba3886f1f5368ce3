#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend_contract.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "ossau/error.hpp"
#include "simt/interpreter.hpp"
#include "simt/runtime.hpp"
#include "simt/simt_cases.hpp"

// The CUDA backend, its kernels run on the CPU: bit for bit what the reference says.

namespace ossau::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Simt, BackendContract,
                         ::testing::Values(simt_case("resident", std::nullopt, 1),
                                           simt_case("streamed", 100'000, 2)),
                         [](const auto& each) { return each.param.name; });

class EveryShape : public ::testing::TestWithParam<std::int64_t> {};

// Around the sizes at which something changes: lanes, groups, chunks, tiles, teams, shared memory.
TEST_P(EveryShape, GivesTheReferencesSums) {
  const std::int64_t columns = GetParam();
  std::uint64_t seed = 10;
  for (const std::int64_t rows : {1, 31, 63, 64, 65, 4097}) {
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
      const BackendCase each = simt_case("", std::nullopt, seed++);
      const double density = layout == Layout::kDense ? 0.9 : 0.03;
      expect_reference_sums(each, {.rows = rows, .columns = columns, .density = density}, layout,
                            1.0);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Columns, EveryShape,
                         ::testing::Values(1, 2, 31, 32, 33, 100, 255, 256, 257, 799, 801, 1000,
                                           5000),
                         [](const auto& each) { return std::to_string(each.param); });

// The same rows under many schedules, on devices of many kinds.
TEST(EverySchedule, GivesTheReferencesSums) {
  const simt::Limits before = simt::limits();
  for (std::uint64_t seed = 100; seed < 130; ++seed) {
    simt::Limits limits = before;
    limits.multiprocessors = 1 + static_cast<int>(seed % 7);
    limits.shared_bytes = seed % 2 == 0 ? std::size_t{227} << 10 : std::size_t{99} << 10;
    simt::set_limits(limits);
    const BackendCase each = simt_case("", std::nullopt, seed);
    for (const std::int64_t columns : {5, 40, 300, 420, 900}) {
      expect_reference_sums(each, {.rows = 64 * 9 + 1, .columns = columns, .density = 0.9},
                            Layout::kDense, 1.0);
    }
    expect_reference_sums(each, {.rows = 64 * 9 + 1, .columns = 2000, .density = 0.02},
                          Layout::kSparse, 1.0);
  }
  simt::set_limits(before);
}

TEST(EmptyRowsAndColumnsOfZeros, AreOrdinary) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    Table table;
    for (std::int64_t i = 0; i < 130; ++i) {
      // Every other row is empty; columns 3 and up are never met.
      for (std::uint32_t j = 0; j < (i % 2 == 0 ? 0U : 3U); ++j) {
        table.index.push_back(j);
        table.value.push_back(0.5 * static_cast<double>(i % 5) - 1.25);
      }
      table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
      table.label.push_back(i % 3 == 0 ? 1 : 0);
    }
    const BackendWithRows of(simt_case("", std::nullopt, 7), prepare_table(table, 40, layout));
    expect_reference_scores(of, every_tile(of.tiles.shards));
  }
}

TEST(DeviceMemory, ThatDoesNotSufficeIsNamedWithTheRemedy) {
  const simt::Limits before = simt::limits();
  simt::Limits limits = before;
  limits.memory_bytes = 200'000;
  simt::set_limits(limits);
  PreparedRows prepared = prepare_rows({.rows = 6400, .columns = 100}, Layout::kDense);
  try {
    cuda::make_cuda_backend({.device = 0, .memory_bytes = std::int64_t{1} << 40},
                            {std::move(prepared.tiles), {}}, prepared.setup);
    ADD_FAILURE() << "expected a DeviceError";
  } catch (const DeviceError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("training rows"), std::string::npos) << message;
    EXPECT_NE(message.find("run.device_memory"), std::string::npos) << message;
  }
  simt::set_limits(before);
}

}  // namespace
}  // namespace ossau::test
