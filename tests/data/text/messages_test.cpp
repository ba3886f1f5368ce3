#include "data/text/messages.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ossau {
namespace {

TEST(Messages, ShowValuesShortAndPrintable) {
  EXPECT_EQ(shown("abc"), "\"abc\"");
  EXPECT_EQ(shown(std::string_view("a\0\x1b", 3)), "\"a\\x00\\x1b\"");
  EXPECT_EQ(shown(std::string(50, 'x')), "\"" + std::string(40, 'x') + "...\"");
}

TEST(Messages, DoNotCutWithinACharacter) {
  EXPECT_EQ(shown(std::string(39, 'x') + "é!"), "\"" + std::string(39, 'x') + "...\"");
}

TEST(Messages, ListTheFirstNames) {
  EXPECT_EQ(shown_list({"a", "b"}), "\"a\", \"b\"");
  const std::vector<std::string> many(12, "n");
  EXPECT_TRUE(shown_list(many).ends_with("\"n\", ... 12 in all"));
}

TEST(Messages, SuggestTheClosestName) {
  EXPECT_EQ(did_you_mean("lable", {"age", "label"}), "did you mean \"label\"? ");
  EXPECT_EQ(did_you_mean("CHURN", {"churn", "state"}), "did you mean \"churn\"? ");
  EXPECT_EQ(did_you_mean("xyzzy", {"age", "label"}), "");
}

}  // namespace
}  // namespace ossau
