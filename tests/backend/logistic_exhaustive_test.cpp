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

#include "arith/loss.hpp"
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
  double curvature = 0;
  float largest_curvature = 0;
  bool finite = true;
};

// What kernels make of a block of floats.
struct Values {
  AlignedVector<float> sigmoid = AlignedVector<float>(kBlock);
  AlignedVector<float> softplus = AlignedVector<float>(kBlock);
  AlignedVector<float> curvature = AlignedVector<float>(kBlock);

  void compute(const CpuKernels& kernels, const AlignedVector<float>& m) {
    kernels.logistic_values(m.data(), kBlock, sigmoid.data(), softplus.data(), curvature.data());
  }
};

// float64 reference by libm; its own error is below 2^-28 ulp of a float.
void compare(const AlignedVector<float>& m, const Values& values, Worst& worst) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double x = m[i];
    const double e = std::exp(-std::fabs(x));
    const double one_plus = 1 + e;
    worst.sigmoid = std::max(worst.sigmoid, ulps(values.sigmoid[i], (x >= 0 ? 1 : e) / one_plus));
    worst.softplus =
        std::max(worst.softplus, ulps(values.softplus[i], std::max(x, 0.0) + std::log1p(e)));
    worst.curvature =
        std::max(worst.curvature, ulps(values.curvature[i], e / (one_plus * one_plus)));
    worst.largest_curvature = std::max(worst.largest_curvature, values.curvature[i]);
    worst.finite = worst.finite && is_finite(values.sigmoid[i]) && is_finite(values.softplus[i]) &&
                   is_finite(values.curvature[i]);
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

bool same_bits(float a, float b) {
  return bit_copy<std::uint32_t>(a) == bit_copy<std::uint32_t>(b);
}

TEST(LogisticExhaustive, IsWithinTwoUlpForEveryFloat) {
  const CpuKernels kernels = available_kernels().front();
  std::vector<Worst> worst(kBlock);
  each_block([&](std::uint32_t block) {
    AlignedVector<float> m(kBlock);
    Values values;
    fill(block, m);
    values.compute(kernels, m);
    compare(m, values, worst[block]);
  });
  Worst all;
  for (const Worst& one : worst) {
    all.sigmoid = std::max(all.sigmoid, one.sigmoid);
    all.softplus = std::max(all.softplus, one.softplus);
    all.curvature = std::max(all.curvature, one.curvature);
    all.largest_curvature = std::max(all.largest_curvature, one.largest_curvature);
    all.finite = all.finite && one.finite;
  }
  RecordProperty("sigmoid_ulp", std::to_string(all.sigmoid));
  RecordProperty("softplus_ulp", std::to_string(all.softplus));
  RecordProperty("curvature_ulp", std::to_string(all.curvature));
  std::printf("worst over all floats: sigmoid %.4f ulp, softplus %.4f ulp, curvature %.4f ulp\n",
              all.sigmoid, all.softplus, all.curvature);
  EXPECT_LE(all.sigmoid, 2);
  EXPECT_LE(all.softplus, 2);
  EXPECT_LE(all.curvature, 2);
  EXPECT_EQ(all.largest_curvature, 0.25f);
  EXPECT_TRUE(all.finite);
}

TEST(LogisticExhaustive, HasTheSameBitsOnEveryInstructionSet) {
  const std::vector<CpuKernels> kernels = available_kernels();
  std::atomic<std::int64_t> different = 0;
  each_block([&](std::uint32_t block) {
    AlignedVector<float> m(kBlock);
    Values first;
    Values other;
    fill(block, m);
    first.compute(kernels.front(), m);
    for (const CpuKernels& others : kernels) {
      other.compute(others, m);
      for (std::size_t i = 0; i < kBlock; ++i) {
        if (!same_bits(first.sigmoid[i], other.sigmoid[i]) ||
            !same_bits(first.softplus[i], other.softplus[i]) ||
            !same_bits(first.curvature[i], other.curvature[i])) {
          ++different;
        }
      }
    }
  });
  EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace ossau
