#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "support/files.hpp"

// What the kernels need of a multiprocessor, on every architecture that is built.

namespace ossau::test {
namespace {

const std::string kPage = "benchmarks/kernel_resources.md";

/// One kernel on one architecture, as scripts/kernel_resources.sh --lines says it.
struct Resources {
  std::string kernel;
  int architecture = 0;
  int threads = 0;  // of a block at most; 0: not stated
  int blocks = 0;   // of a multiprocessor at the least; 0: not stated
  int registers = 0;
  int barriers = 0;
  int static_shared = 0;
  int stack = 0;
  int spill_stores = 0;
  int spill_loads = 0;
};

std::vector<Resources> resources_in(const std::string& lines) {
  std::vector<Resources> all;
  std::istringstream text(lines);
  for (std::string line; std::getline(text, line);) {
    std::istringstream fields(line);
    Resources one;
    std::getline(fields, one.kernel, '\t');
    fields >> one.architecture >> one.threads >> one.blocks >> one.registers >> one.barriers >>
        one.static_shared >> one.stack >> one.spill_stores >> one.spill_loads;
    EXPECT_FALSE(fields.fail()) << line;
    all.push_back(one);
  }
  return all;
}

// Registers are given to warps in units of 256; a multiprocessor has 65536, a thread at most 255.
int registers_within_bounds(const Resources& one) {
  if (one.threads == 0) return 255;
  const int warps = (one.threads + 31) / 32 * std::max(one.blocks, 1);
  return std::min(255, 65536 / warps / 256 * 256 / 32);
}

void expect_no_local_memory(const std::vector<Resources>& all) {
  for (const Resources& one : all) {
    EXPECT_EQ(one.stack, 0) << one.kernel << " on sm_" << one.architecture;
    EXPECT_EQ(one.spill_stores, 0) << one.kernel << " on sm_" << one.architecture;
    EXPECT_EQ(one.spill_loads, 0) << one.kernel << " on sm_" << one.architecture;
  }
}

void expect_registers_within_bounds(const std::vector<Resources>& all) {
  for (const Resources& one : all) {
    EXPECT_GT(one.registers, 0) << one.kernel;
    EXPECT_LE(one.registers, registers_within_bounds(one))
        << one.kernel << " on sm_" << one.architecture;
  }
}

// Every kernel that can be launched, on every architecture.
void expect_all_kernels(const std::vector<Resources>& all) {
  for (const int architecture : {80, 90, 100}) {
    for (const std::string kernel :
         {"dense_gradient_kernel<GradientStage, 256, 8>",
          "dense_gradient_kernel<GradientStage, 512, 1>",
          "dense_gradient_kernel<FusedStage<3>, 256, 1>",
          "wide_gradient_kernel<GradientStage, 128>", "wide_gradient_kernel<HessianStage, 128>",
          "sparse_gradient_kernel<GradientStage, false, false>",
          "sparse_gradient_kernel<GradientStage, true, true>", "line_kernel",
          "move_kernel<Descent>", "move_kernel<Adam>", "select_kernel", "self_test_kernel"}) {
      EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                              [&](const Resources& one) {
                                return one.kernel == kernel && one.architecture == architecture;
                              }))
          << kernel << " on sm_" << architecture;
    }
  }
}

std::string release_of(const std::string& page) {
  std::smatch match;
  return std::regex_search(page, match, std::regex(R"(CUDA (\d+\.\d+))")) ? match[1].str() : "";
}

// One test, because compiling takes its time: the script prints the page and leaves the lines.
TEST(KernelResources, AreThoseOfThePageAndLeaveNothingInLocalMemory) {
  const TemporaryDirectory folder;
  const std::string lines = (folder.path() / "lines").string();
  const CommandResult printed = run_command(
      "scripts/kernel_resources.sh --build '" OSSAU_BINARY_DIR "' --lines '" + lines + "'");
  ASSERT_EQ(printed.exit_code, 0) << printed.output;
  const std::vector<Resources> all = resources_in(read_file(lines));
  expect_all_kernels(all);
  expect_no_local_memory(all);
  expect_registers_within_bounds(all);
  const std::string page = read_file(source_directory() / kPage);
  if (release_of(page) != release_of(printed.output)) {
    GTEST_SKIP() << kPage << " is of CUDA " << release_of(page) << ", this compiler is of "
                 << release_of(printed.output);
  }
  EXPECT_EQ(page, printed.output) << "run scripts/kernel_resources.sh --write";
}

}  // namespace
}  // namespace ossau::test
