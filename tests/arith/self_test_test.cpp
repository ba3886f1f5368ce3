#include "arith/self_test.hpp"

#include <gtest/gtest.h>

#include "core/floating_point.hpp"

namespace ossau {
namespace {

TEST(ArithmeticSelfTest, PassesHere) { EXPECT_EQ(arithmetic_self_test(), ""); }

#if defined(__x86_64__)
constexpr std::uint64_t kFlushToZero = 0x9fc0;  // FTZ and DAZ, as fast-math sets them
constexpr std::uint64_t kRoundUp = 0x5f80;
#else
constexpr std::uint64_t kFlushToZero = std::uint64_t{1} << 24;
constexpr std::uint64_t kRoundUp = std::uint64_t{1} << 22;
#endif

std::string self_test_under(std::uint64_t control) {
  const std::uint64_t saved = floating_point_control();
  set_floating_point_control(control);
  std::string result = arithmetic_self_test();
  set_floating_point_control(saved);
  return result;
}

TEST(ArithmeticSelfTest, NoticesFlushToZero) {
  EXPECT_EQ(self_test_under(kFlushToZero), "subnormal numbers");
}

TEST(ArithmeticSelfTest, NoticesAnotherRounding) { EXPECT_NE(self_test_under(kRoundUp), ""); }

TEST(FloatingPointGuard, GivesTheDefaultAndRestores) {
  const std::uint64_t saved = floating_point_control();
  set_floating_point_control(kFlushToZero);
  {
    const FloatingPointGuard guard;
    EXPECT_EQ(arithmetic_self_test(), "");
  }
  EXPECT_EQ(floating_point_control(), kFlushToZero);
  set_floating_point_control(saved);
}

}  // namespace
}  // namespace ossau
