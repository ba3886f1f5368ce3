#include "arith/elementary.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace ossau {
namespace {

TEST(CosPi, IsExactAtTheQuarters) {
  EXPECT_EQ(cos_pi(0.0), 1.0);
  EXPECT_EQ(cos_pi(0.5), 0.0);
  EXPECT_EQ(cos_pi(1.0), -1.0);
}

TEST(CosPi, AgreesWithLibm) {
  for (int i = 0; i <= 10000; ++i) {
    const double t = i / 10000.0;
    // libm's own argument, pi t, is rounded: half an ulp of pi is 2.2e-16.
    EXPECT_NEAR(cos_pi(t), std::cos(3.14159265358979323846 * t), 5e-16) << t;
  }
}

TEST(LogNatural, AgreesWithLibm) {
  EXPECT_EQ(log_natural(1.0), 0.0);
  for (int i = -300; i <= 300; ++i) {
    for (const double f : {1.0, 1.1, 1.4142135623730951, 1.4142135623730954, 1.9999999999999998}) {
      const double x = f * std::pow(10.0, i);
      EXPECT_NEAR(log_natural(x), std::log(x), 4e-16 * (1 + std::fabs(std::log(x)))) << x;
    }
  }
}

TEST(IntegerPower, MultipliesAsOftenAsAsked) {
  EXPECT_EQ(integer_power(0.1, 0), 1.0);
  EXPECT_EQ(integer_power(0.5, 10), 0x1p-10);
  EXPECT_EQ(integer_power(-3, 5), -243.0);
}

}  // namespace
}  // namespace ossau
