#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "arith/logistic.hpp"
#include "backend/cpu/kernels.hpp"
#include "core/aligned.hpp"

namespace ossau {
namespace {

constexpr std::size_t kBlock = 1 << 16;

double ulps(float got, double reference) {
  if (static_cast<double>(got) == reference) return 0;
  const auto bits = bit_copy<std::uint64_t>(reference);
  const int exponent = std::max(static_cast<int>(bits >> 52 & 0x7ff) - 1023 - 23, -149);
  return std::fabs(static_cast<double>(got) - reference) / power_of_two(exponent);
}

struct Worst {
  double sigmoid = 0;
  double softplus = 0;
  bool finite = true;
};

// float64 reference by libm; its own error is below 2^-28 ulp of a float.
void compare(const float* m, const float* sigmoid, const float* softplus, Worst& worst) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double x = m[i];
    const double e = std::exp(-std::fabs(x));
    const double one_plus = 1 + e;
    worst.sigmoid = std::max(worst.sigmoid, ulps(sigmoid[i], (x >= 0 ? 1 : e) / one_plus));
    worst.softplus = std::max(worst.softplus, ulps(softplus[i], std::max(x, 0.0) + std::log1p(e)));
    worst.finite = worst.finite && is_finite(sigmoid[i]) && is_finite(softplus[i]);
  }
}

// Calls work(block number) for all 2^16 blocks of 2^16 floats on all cores.
template <class Work>
void each_block(Work&& work) {
  std::atomic<std::uint32_t> next = 0;
  std::vector<std::thread> threads;
  for (unsigned k = 0; k < std::max(1U, std::thread::hardware_concurrency()); ++k) {
    threads.emplace_back([&] {
      for (std::uint32_t block = next++; block < kBlock; block = next++) work(block);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A block of floats; infinities and NaNs, which no score reaches the function with, become 0.
void fill(std::uint32_t block, AlignedVector<float>& m) {
  for (std::uint32_t i = 0; i < kBlock; ++i) {
    const auto x = bit_copy<float>(block * static_cast<std::uint32_t>(kBlock) + i);
    m[i] = is_finite(x) ? x : 0.0f;
  }
}

TEST(LogisticExhaustive, IsWithinTwoUlpForEveryFloat) {
  const CpuKernels kernels = available_kernels().front();
  std::vector<Worst> worst(kBlock);
  each_block([&](std::uint32_t block) {
    AlignedVector<float> m(kBlock);
    AlignedVector<float> sigmoid(kBlock);
    AlignedVector<float> softplus(kBlock);
    fill(block, m);
    kernels.logistic_values(m.data(), kBlock, sigmoid.data(), softplus.data());
    compare(m.data(), sigmoid.data(), softplus.data(), worst[block]);
  });
  Worst all;
  for (const Worst& one : worst) {
    all.sigmoid = std::max(all.sigmoid, one.sigmoid);
    all.softplus = std::max(all.softplus, one.softplus);
    all.finite = all.finite && one.finite;
  }
  RecordProperty("sigmoid_ulp", std::to_string(all.sigmoid));
  RecordProperty("softplus_ulp", std::to_string(all.softplus));
  std::printf("worst over all floats: sigmoid %.4f ulp, softplus %.4f ulp\n", all.sigmoid,
              all.softplus);
  EXPECT_LE(all.sigmoid, 2);
  EXPECT_LE(all.softplus, 2);
  EXPECT_TRUE(all.finite);
}

TEST(LogisticExhaustive, HasTheSameBitsOnEveryInstructionSet) {
  const std::vector<CpuKernels> kernels = available_kernels();
  std::atomic<std::int64_t> different = 0;
  each_block([&](std::uint32_t block) {
    AlignedVector<float> m(kBlock);
    AlignedVector<float> sigmoid(kBlock);
    AlignedVector<float> softplus(kBlock);
    AlignedVector<float> other_sigmoid(kBlock);
    AlignedVector<float> other_softplus(kBlock);
    fill(block, m);
    kernels.front().logistic_values(m.data(), kBlock, sigmoid.data(), softplus.data());
    for (const CpuKernels& other : kernels) {
      other.logistic_values(m.data(), kBlock, other_sigmoid.data(), other_softplus.data());
      for (std::size_t i = 0; i < kBlock; ++i) {
        if (bit_copy<std::uint32_t>(sigmoid[i]) != bit_copy<std::uint32_t>(other_sigmoid[i]) ||
            bit_copy<std::uint32_t>(softplus[i]) != bit_copy<std::uint32_t>(other_softplus[i])) {
          ++different;
        }
      }
    }
  });
  EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace ossau
