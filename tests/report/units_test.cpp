#include "report/units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ossau/error.hpp"

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Units, AreThoseOfNetworks) {
  EXPECT_EQ(parse_rate("50GB/s", "x"), 50e9);
  EXPECT_EQ(parse_rate("50 GB/s", "x"), 50e9);
  EXPECT_EQ(parse_rate("400Gbit/s", "x"), 50e9);
  EXPECT_EQ(parse_rate("1.5kB/s", "x"), 1500);
  EXPECT_EQ(parse_rate("8e3bit/s", "x"), 1000);
  EXPECT_EQ(parse_rate("2TB/s", "x"), 2e12);
  EXPECT_EQ(parse_rate("10Mbit/s", "x"), 1.25e6);
}

TEST(Units, AreThoseOfMessages) {
  EXPECT_EQ(parse_seconds("20us", "x"), 20e-6);
  EXPECT_EQ(parse_seconds("1.5 ms", "x"), 1.5e-3);
  EXPECT_EQ(parse_seconds("800ns", "x"), 800e-9);
  EXPECT_EQ(parse_seconds("2s", "x"), 2);
}

template <class Parse>
std::string message_of(Parse parse, const std::string& text) {
  try {
    parse(text, "--option");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error for " + text;
}

TEST(Units, AreNeverGuessed) {
  // "50Gb/s" might be meant either way, eight times apart.
  for (const std::string text : {"50Gb/s", "50GBps", "50gb/s", "50GiB/s", "50GB/s ", "50  GB/s",
                                 "50GB", "50us", "1,5GB/s"}) {
    EXPECT_THAT(message_of(parse_rate, text),
                AllOf(StartsWith("--option: \"" + text + "\": unknown unit"),
                      HasSubstr("GB/s, TB/s, bit/s")));
  }
  for (const std::string text : {"20usec", "20 µs", "20GB/s", "20US"}) {
    EXPECT_THAT(
        message_of(parse_seconds, text),
        AllOf(StartsWith("--option: \"" + text + "\": unknown unit"), HasSubstr("s, ms, us, ns")));
  }
  EXPECT_THAT(message_of(parse_seconds, "20"),
              AllOf(HasSubstr("has no unit"), HasSubstr("like 20us")));
}

TEST(Units, NeedANumberAboveZero) {
  for (const std::string number :
       {"", "GB/s", "0GB/s", "-1GB/s", " 1GB/s", "nanGB/s", "infGB/s", "1e999GB/s", "+1GB/s"}) {
    EXPECT_THAT(message_of(parse_rate, number),
                StartsWith("--option: \"" + number + "\" does not begin with a number above 0"));
  }
}

}  // namespace
}  // namespace ossau::test
