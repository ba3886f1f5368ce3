#include "backend/cpu/kernels.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "arith/loss.hpp"
#include "core/aligned.hpp"

namespace ossau {
namespace {

// Every 1009th float; the slow test takes all of them.
TEST(Kernels, ComputeTheLogisticFunctionLikeTheScalarFormula) {
  for (const CpuKernels& kernels : available_kernels()) {
    AlignedVector<float> m;
    for (std::uint64_t bits = 0; bits < (UINT64_C(1) << 32); bits += 1009) {
      const auto x = bit_copy<float>(static_cast<std::uint32_t>(bits));
      if (is_finite(x)) m.push_back(x);
    }
    m.resize(m.size() / 64 * 64);
    AlignedVector<float> sigmoid(m.size());
    AlignedVector<float> softplus(m.size());
    AlignedVector<float> curvatures(m.size());
    kernels.logistic_values(m.data(), m.size(), sigmoid.data(), softplus.data(), curvatures.data());
    for (std::size_t i = 0; i < m.size(); ++i) {
      const LogisticValue<float> expected = logistic<ScalarOps>(m[i]);
      ASSERT_EQ(bit_copy<std::uint32_t>(sigmoid[i]), bit_copy<std::uint32_t>(expected.sigmoid))
          << kernels.name << " " << m[i];
      ASSERT_EQ(bit_copy<std::uint32_t>(softplus[i]), bit_copy<std::uint32_t>(expected.softplus))
          << kernels.name << " " << m[i];
      ASSERT_EQ(bit_copy<std::uint32_t>(curvatures[i]),
                bit_copy<std::uint32_t>(logistic_curvature<ScalarOps>(m[i])))
          << kernels.name << " " << m[i];
    }
  }
}

TEST(Kernels, EndWithTheScalarOnes) {
  EXPECT_EQ(available_kernels().back().simd, Simd::kScalar);
  EXPECT_EQ(choose_kernels(Simd::kScalar).simd, Simd::kScalar);
  EXPECT_EQ(choose_kernels(Simd::kAuto).simd, available_kernels().front().simd);
}

}  // namespace
}  // namespace ossau
