#include "core/strict_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ossau/error.hpp"

namespace ossau {
namespace {

using ::testing::HasSubstr;

std::string problem_of(std::string_view text) {
  try {
    parse_strict_json(text, "here", 3);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(StrictJson, ReadsOrdinaryJson) {
  const nlohmann::json json =
      parse_strict_json(R"({"a": {"b": [1, "x"]}, "c": {"b": null}})", "", 3);
  EXPECT_EQ(json["a"]["b"][1], "x");
}

TEST(StrictJson, NamesTheSubjectAndTheProblem) {
  EXPECT_THAT(problem_of("{"), HasSubstr("here: not valid JSON"));
  EXPECT_THAT(problem_of(""), HasSubstr("here: not valid JSON"));
  EXPECT_THAT(problem_of("{} {}"), HasSubstr("here: not valid JSON"));
  EXPECT_THAT(problem_of("[1e999]"), HasSubstr("here: not valid JSON"));
  EXPECT_THAT(problem_of("[\"\xff\"]"), HasSubstr("here: not valid JSON"));
}

TEST(StrictJson, RefusesADuplicateKeyInAnyObject) {
  EXPECT_EQ(problem_of(R"({"a": 1, "b": {"a": 1, "a": 2}})"), "here: key \"a\" appears twice");
}

TEST(StrictJson, RefusesDeepNestingHoweverDeep) {
  EXPECT_EQ(problem_of("[[[]]]"), "");
  EXPECT_EQ(problem_of("[[[[]]]]"), "here: nested deeper than 3 levels");
  EXPECT_EQ(problem_of(std::string(1000000, '[')), "here: nested deeper than 3 levels");
  EXPECT_EQ(problem_of(R"({"a":{"a":{"a":{}}}})"), "here: nested deeper than 3 levels");
}

}  // namespace
}  // namespace ossau
