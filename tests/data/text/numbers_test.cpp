#include "data/text/numbers.hpp"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <limits>
#include <string>

namespace ossau {
namespace {

double value_of(std::string_view text) {
  const ParsedNumber number = parse_number(text);
  EXPECT_EQ(number.status, NumberStatus::kNumber) << text;
  return number.value;
}

TEST(Numbers, AreRoundedCorrectly) {
  EXPECT_EQ(value_of("0.1"), 0.1);
  EXPECT_EQ(value_of("-3.5e-7"), -3.5e-7);
  EXPECT_EQ(value_of("007"), 7.0);
  EXPECT_EQ(value_of("999999999"), 999999999.0);
  EXPECT_EQ(value_of("9999999999"), 9999999999.0);
  EXPECT_EQ(value_of(".5"), 0.5);
  EXPECT_EQ(value_of("1."), 1.0);
  EXPECT_EQ(value_of("1E5"), 1e5);
  EXPECT_EQ(value_of("9007199254740993"), 9007199254740992.0);  // halfway, to even
  EXPECT_EQ(value_of("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(value_of("2.2250738585072011e-308"), 2.2250738585072011e-308);
}

TEST(Numbers, MayBeginWithPlus) {
  EXPECT_EQ(value_of("+1"), 1.0);
  EXPECT_EQ(value_of("+0.5e+1"), 5.0);
}

TEST(Numbers, KeepSubnormalsAndReadUnderflowAsZero) {
  EXPECT_EQ(value_of("5e-324"), 5e-324);
  EXPECT_EQ(value_of("1e-310"), 1e-310);
  EXPECT_EQ(value_of("1e-400"), 0.0);
  EXPECT_EQ(value_of("+1e-99999999999999999999"), 0.0);
  EXPECT_EQ(value_of("0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_EQ(value_of("123456e-400"), 0.0);
  EXPECT_TRUE(std::signbit(value_of("-1e-400")));
  EXPECT_EQ(value_of("0e999999999999999999999"), 0.0);
}

TEST(Numbers, ReportOverflow) {
  for (const std::string& text :
       {std::string("1e309"), std::string("-1e309"), std::string("+2e308"),
        std::string("1e99999999999999999999"), std::string(400, '9'), std::string(".1e310"),
        "0.00001e" + std::string("320"), std::string("1.5e+400")}) {
    EXPECT_EQ(parse_number(text).status, NumberStatus::kTooLarge) << text;
  }
}

TEST(Numbers, ReportNanAndInfinity) {
  for (const char* text : {"nan", "NaN", "inf", "-inf", "+inf", "Infinity", "nan(5)"}) {
    EXPECT_EQ(parse_number(text).status, NumberStatus::kNotFinite) << text;
  }
}

TEST(Numbers, RefuseEverythingElse) {
  for (const char* text : {"", "+", "-", ".", "e5", "1e", "1e+", "+-1", "++1", "--1", "1 ", " 1",
                           "1,5", "0x10", "1.2.3", "12abc", "1_000", "nano"}) {
    EXPECT_EQ(parse_number(text).status, NumberStatus::kNotNumber) << text;
  }
}

TEST(Numbers, DoNotFollowTheLocale) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  bool changed = false;
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"}) {
    changed = changed || std::setlocale(LC_ALL, name) != nullptr;
  }
  const double value = value_of("1.5");
  std::setlocale(LC_ALL, before.c_str());
  EXPECT_EQ(value, 1.5);
  if (!changed) GTEST_SKIP() << "no locale with a decimal comma is installed";
}

TEST(Numbers, IndicesAreDigitsOnly) {
  EXPECT_EQ(parse_index("17"), 17U);
  EXPECT_EQ(parse_index("99999999999999999999999"), std::numeric_limits<std::uint64_t>::max());
  for (const char* text : {"", "-1", "+1", "1.0", "1e3", "a", "1 "}) {
    EXPECT_FALSE(parse_index(text)) << text;
  }
}

TEST(Numbers, AreShownAtTheirShortest) {
  EXPECT_EQ(shortest_number(1.0), "1");
  EXPECT_EQ(shortest_number(-0.0), "0");
  EXPECT_EQ(shortest_number(100000.0), "100000");
  EXPECT_EQ(shortest_number(0.1), "0.1");
  EXPECT_EQ(shortest_number(-2.5), "-2.5");
  EXPECT_EQ(shortest_number(1e300), "1e+300");
}

}  // namespace
}  // namespace ossau
