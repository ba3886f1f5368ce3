#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "support/files.hpp"

// What nvcc makes of the kernels: no operation that the arithmetic contract does not name.

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

/// Instructions by the function that they are in, by its mangled name.
using Functions = std::map<std::string, std::vector<std::string>>;

std::string ptx_of(const std::string& file, const std::string& options = "") {
  const CommandResult result = run_command(
      "scripts/kernel_resources.sh --build '" OSSAU_BINARY_DIR "' --ptx '" + file + "' " + options);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.output;
}

Functions functions_of(const std::string& ptx) {
  const std::regex head(R"(\.(entry|func)\s+(\(.*\)\s*)?([A-Za-z_$][\w$]*))");
  const std::regex instruction(R"(^\s*(@!?%p\d+\s+)?([a-z][a-z0-9_]*(\.[a-z0-9_:]+)*)\s)");
  Functions functions;
  std::string function;
  std::istringstream lines(ptx);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, head)) {
      function = match[3];
      functions[function];
    } else if (!function.empty() && std::regex_search(line, match, instruction)) {
      functions[function].push_back(match[2]);
    }
  }
  return functions;
}

std::size_t count(const std::vector<std::string>& instructions, const std::string& pattern) {
  std::size_t found = 0;
  const std::regex wanted(pattern);
  for (const std::string& each : instructions) found += std::regex_match(each, wanted) ? 1 : 0;
  return found;
}

Functions functions_of_kernels() {
  Functions all;
  for (const fs::path& file : project_files({"kernels"}, {".cu"})) {
    Functions functions = functions_of(ptx_of("kernels/" + file.filename().string()));
    EXPECT_FALSE(functions.empty()) << file;
    all.merge(functions);
  }
  return all;
}

const std::string kFloat32Fma = R"(fma\.rn\.f32)";
// Those that only a compiler writes: of float64, or with another rounding or subnormals lost.
const std::string kForeignFma = R"((fma|mad)\..*f(16|32|64).*)";

// A formula writes fma where rows are scored, where a tile's columns are added up, along a line of
// scores, where rows are weighed for a Gram matrix, and in the self-test.
bool writes_fma(const std::string& function) {
  const std::regex name(
      "(dense|sparse|wide)_gradient_kernel|(dense|sparse)_gram_kernel|dense_steps_kernel|"
      "self_test_kernel|line_kernel|add_scaled_kernel");
  return std::regex_search(function, name);
}

TEST(KernelPtx, HoldsNoOperationThatTheArithmeticDoesNotName) {
  const Functions functions = functions_of_kernels();
  std::size_t with_fma = 0;
  for (const auto& [function, instructions] : functions) {
    EXPECT_FALSE(instructions.empty()) << function;
    const std::size_t fma = count(instructions, kFloat32Fma);
    EXPECT_EQ(count(instructions, kForeignFma), fma) << function;
    EXPECT_EQ(fma > 0, writes_fma(function)) << function;
    with_fma += fma > 0 ? 1 : 0;
    // Less exact than IEEE 754: approximations, subnormals taken for 0, division without rounding.
    EXPECT_EQ(count(instructions, R"(.*\.(approx|ftz|full|sat)(\..*)?)"), 0u) << function;
    // Without a rounding of its own an operation may be fused later, by the assembler.
    EXPECT_EQ(count(instructions, R"((add|sub|mul)\.f(32|64))"), 0u) << function;
  }
  EXPECT_GE(with_fma, 6u) << "of " << functions.size() << " kernels";
}

// Or the gate above would look at nothing.
TEST(KernelPtx, IsFusedWithoutOurFlags) {
  const std::string sample = "tests/kernels/contraction_sample.cu";
  const Functions ours = functions_of(ptx_of(sample));
  const Functions fused = functions_of(ptx_of(sample, "--fused"));
  ASSERT_EQ(ours.size(), 2u);
  ASSERT_EQ(fused.size(), 2u);
  for (const auto& [function, instructions] : ours) {
    EXPECT_EQ(count(instructions, kForeignFma), 0u) << function;
    EXPECT_EQ(count(instructions, R"((mul|add)\.rn\.f(32|64))"), 2u) << function;
    EXPECT_EQ(count(fused.at(function), kForeignFma), 1u) << function;
  }
}

}  // namespace
}  // namespace ossau::test
