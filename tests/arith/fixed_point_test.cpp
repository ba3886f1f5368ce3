#include "arith/fixed_point.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "arith/wide_sum.hpp"

namespace ossau {
namespace {

__extension__ using Wide = __int128;

TEST(FixedPointBits, KeepsTheLargestBatchBelowTheLimit) {
  for (const std::int64_t rows :
       {INT64_C(1), INT64_C(64), INT64_C(1) << 18, (INT64_C(1) << 18) + 1, INT64_C(1000000),
        INT64_C(1) << 31, (INT64_C(1) << 40) + 1, INT64_C(1) << 61}) {
    const int bits = fixed_point_bits(rows);
    EXPECT_LE(bits, 44);
    // Every row at its bound |r c x| = 1, with the rounding of the tile's float32 tree.
    const double per_row = std::ldexp(1.0, bits) * (1 + 0x1p-21);
    EXPECT_LT(static_cast<long double>(rows) * per_row, 0x1p63L) << rows;
  }
  EXPECT_EQ(fixed_point_bits(1 << 18), 44);
  EXPECT_EQ(fixed_point_bits((1 << 18) + 1), 43);
}

TEST(FixedPoint, HoldsALargestBatchOfLargestRows) {
  const std::int64_t rows = INT64_C(1) << 40;
  const double scale = power_of_two(fixed_point_bits(rows));
  // A whole tile at the bound, as often as the batch has tiles.
  const float tile = 64.0f * (1 + 0x1p-21f);
  const Wide sum = Wide{to_fixed(tile, scale)} * (rows / 64);
  EXPECT_LT(sum, Wide{INT64_MAX});
  EXPECT_GT(sum, 0);
  EXPECT_GT(Wide{to_fixed(-tile, scale)} * (rows / 64), Wide{INT64_MIN});
}

TEST(FixedPoint, RoundsToNearestEven) {
  EXPECT_EQ(to_fixed(0.5f, 1.0), 0);
  EXPECT_EQ(to_fixed(1.5f, 1.0), 2);
  EXPECT_EQ(to_fixed(-0.5f, 1.0), 0);
  EXPECT_EQ(to_fixed(-1.5f, 1.0), -2);
  EXPECT_EQ(to_fixed(0x1p-44f, 0x1p44), 1);
  EXPECT_EQ(to_fixed(0x1p-149f, 0x1p44), 0);
}

TEST(FixedPoint, IsExactOverItsRange) {
  for (int exponent = -44; exponent <= 6; ++exponent) {
    const float p = std::ldexp(1.0f, exponent);
    EXPECT_EQ(to_fixed(p, 0x1p44), INT64_C(1) << (exponent + 44));
    EXPECT_EQ(to_fixed(-p, 0x1p44), -(INT64_C(1) << (exponent + 44)));
  }
}

TEST(LossValue, PutsTheTwoIntegersTogether) {
  EXPECT_EQ(loss_value(3, INT64_C(1) << 31), 3.5);
  EXPECT_EQ(loss_value(0, 0), 0.0);
}

TEST(WideSum, KeepsTheBoundsOfItsRange) {
  EXPECT_EQ(to_wide(1.0), INT64_C(1) << 62);
  EXPECT_EQ(to_wide(-1.0), -(INT64_C(1) << 62));
  EXPECT_EQ(wide_value(Int128{to_wide(0.75)} * 4), 3.0);
}

TEST(OrderedBits, SortLikeTheNumbers) {
  const double infinity = std::numeric_limits<double>::infinity();
  const double numbers[] = {-infinity, -1e300, -1.0, -5e-324, -0.0, 0.0, 5e-324, 1.0, infinity};
  for (std::size_t i = 0; i + 1 < std::size(numbers); ++i) {
    EXPECT_LT(ordered_bits(numbers[i]), ordered_bits(numbers[i + 1]));
    EXPECT_EQ(from_ordered_bits(ordered_bits(numbers[i])), numbers[i]);
  }
}

}  // namespace
}  // namespace ossau
