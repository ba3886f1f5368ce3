#include "report/text.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace ossau {
namespace {

TEST(Text, GroupsThousands) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1000), "1,000");
  EXPECT_EQ(with_commas(-123456), "-123,456");
  EXPECT_EQ(with_commas(1234567890), "1,234,567,890");
}

TEST(Text, CountsOneAndMany) {
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(0, "row"), "0 rows");
  EXPECT_EQ(counted(12345, "row"), "12,345 rows");
}

TEST(Text, ShowsRatesInThreeDigits) {
  EXPECT_EQ(short_rate(7), "7");
  EXPECT_EQ(short_rate(999.4), "999");
  EXPECT_EQ(short_rate(999.6), "1 k");
  EXPECT_EQ(short_rate(845000), "845 k");
  EXPECT_EQ(short_rate(1234567), "1.23 M");
  EXPECT_EQ(short_rate(2e9), "2 G");
  EXPECT_EQ(short_rate(std::numeric_limits<double>::infinity()), "inf G");
}

TEST(Text, ShowsDurationsByTheirSize) {
  EXPECT_EQ(short_duration(0.0421), "0.0421 s");
  EXPECT_EQ(short_duration(12.34), "12.3 s");
  EXPECT_EQ(short_duration(125), "2 min 05 s");
  EXPECT_EQ(short_duration(3 * 3600 + 7 * 60 + 59), "3 h 07 min");
  EXPECT_EQ(short_duration(-1e-9), "0 s");
  EXPECT_EQ(short_duration(std::numeric_limits<double>::quiet_NaN()), "?");
}

TEST(Text, ShortensByCharactersNotBytes) {
  EXPECT_EQ(shortened("âge", 3), "âge");
  EXPECT_EQ(shortened("âgée", 3), "âg~");
  EXPECT_EQ(shortened("ââââ", 2), "â~");
  EXPECT_EQ(shortened("abc", 1), "~");
  EXPECT_EQ(left_aligned("âge", 5), "âge  ");
  EXPECT_EQ(right_aligned("âge", 5), "  âge");
}

TEST(Text, NeverPassesControlCharactersToATerminal) {
  EXPECT_EQ(shortened("a\x1b[31mb\nc\x7f", 20), "a?[31mb?c?");
}

}  // namespace
}  // namespace ossau
