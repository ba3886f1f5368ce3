#include "backend/cpu/cpu_backend.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend_contract.hpp"
#include "backend/cpu_cases.hpp"
#include "backend/cuda_module.hpp"
#include "ossau/error.hpp"

namespace ossau::test {
namespace {

INSTANTIATE_TEST_SUITE_P(Cpu, BackendContract, ::testing::ValuesIn(cpu_cases()),
                         [](const auto& each) { return each.param.name; });

const BackendCase& first_case() {
  static const BackendCase instance = cpu_case(available_kernels().front(), 2);
  return instance;
}

TEST(UpdateRules, GiveTheSameBitsOnEveryBackend) {
  for (const RuleCase& rule : rule_cases()) {
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
      const auto expected = weights_after(first_case(), rule, layout, 20);
      for (const BackendCase& other : cpu_cases()) {
        EXPECT_EQ(weights_after(other, rule, layout, 20), expected) << rule.name << other.name;
      }
    }
  }
}

// Wide enough that three threads share the update.
TEST(UpdateRules, GiveTheSameBitsWhenThreadsShareTheFeatures) {
  const CpuKernels kernels = available_kernels().front();
  for (const RuleCase& rule : rule_cases()) {
    EXPECT_EQ(weights_after(cpu_case(kernels, 3), rule, Layout::kSparse, 3, 30000),
              weights_after(cpu_case(kernels, 1), rule, Layout::kSparse, 3, 30000))
        << rule.name;
  }
}

TEST(UpdateRules, KeepAnAbsentInterceptAtZero) {
  const RuleCase rule{"no_intercept", UpdateRule::kDescent, {}, {}, false};
  EXPECT_EQ(weights_after(first_case(), rule, Layout::kDense, 5).back(), 0.0);
}

TEST(UpdateRules, ProximalStepsGiveExactZeros) {
  const RuleCase rule{"proximal", UpdateRule::kDescent, {.l1 = 0.05}};
  const auto weights = weights_after(first_case(), rule, Layout::kDense, 20);
  EXPECT_GT(std::count(weights.begin(), weights.end(), 0.0), 300);
  EXPECT_LT(std::count(weights.begin(), weights.end(), 0.0), 701);
}

// w = a v takes the same path as plain descent, rounded differently.
TEST(UpdateRules, ScaledDescentFollowsPlainDescent) {
  const Penalty l2{.l1 = 0, .l2 = 0.5, .pseudo_huber = 0, .delta = 1};
  const auto plain =
      weights_after(first_case(), {"", UpdateRule::kDescent, l2}, Layout::kSparse, 50);
  const auto scaled =
      weights_after(first_case(), {"", UpdateRule::kScaled, l2}, Layout::kSparse, 50);
  for (std::size_t j = 0; j < plain.size(); ++j) EXPECT_NEAR(plain[j], scaled[j], 1e-7);
}

TEST(MakeBackend, RefusesCudaWithTheReason) {
  if (why_no_gpu().empty()) GTEST_SKIP() << "this machine has a GPU";
  PreparedRows prepared = prepare_rows({.rows = 10, .columns = 2}, Layout::kDense);
  RunConfig config;
  config.device = Device::kCuda;
  try {
    make_backend(config, {}, 1, {std::move(prepared.tiles), {}}, prepared.setup);
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.what(), "run.device: cuda: " + why_no_gpu() + " (set run.device: auto or cpu)");
  }
}

TEST(ChooseKernels, RefusesInstructionsThatTheProcessorLacks) {
#if defined(__x86_64__)
  const Simd elsewhere = Simd::kNeon;
#else
  const Simd elsewhere = Simd::kAvx2;
#endif
  try {
    choose_kernels(elsewhere);
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("scalar"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace ossau::test
