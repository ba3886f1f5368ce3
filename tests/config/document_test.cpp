#include "config/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ossau {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Parsed {
  std::optional<Node> root;
  std::vector<std::string> problems;
};

Parsed parse(const std::string& text) {
  Problems problems;
  Parsed parsed;
  parsed.root = parse_yaml(
      text,
      [](int line) {
        return Place{"t.yaml:" + std::to_string(line), line};
      },
      problems);
  parsed.problems = problems.lines();
  return parsed;
}

TEST(Document, KeepsKindsOrderAndLines) {
  const Parsed parsed = parse("b: 1\na:\n  - 'x'\n  - ~\nc: {d: true}\n");
  EXPECT_THAT(parsed.problems, IsEmpty());
  ASSERT_TRUE(parsed.root);
  const std::vector<Entry>& entries = parsed.root->entries;
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].key, "b");
  EXPECT_EQ(entries[0].value.text, "1");
  EXPECT_FALSE(entries[0].value.quoted);
  EXPECT_EQ(entries[1].place.text, "t.yaml:2");
  ASSERT_EQ(entries[1].value.items.size(), 2U);
  EXPECT_TRUE(entries[1].value.items[0].quoted);
  EXPECT_EQ(entries[1].value.items[0].place.text, "t.yaml:3");
  EXPECT_EQ(entries[1].value.items[1].kind, NodeKind::kNull);
  EXPECT_EQ(entries[2].value.kind, NodeKind::kMap);
}

TEST(Document, AnEmptyOneIsNull) {
  for (const char* text : {"", "\n", "# only a comment\n", "---\n", "null\n"}) {
    const Parsed parsed = parse(text);
    EXPECT_THAT(parsed.problems, IsEmpty()) << text;
    ASSERT_TRUE(parsed.root) << text;
    EXPECT_EQ(parsed.root->kind, NodeKind::kNull) << text;
  }
}

TEST(Document, PlacesAnEmptyValueAtItsKey) {
  const Parsed parsed = parse("a:\n\n\nb: 1\n");
  ASSERT_TRUE(parsed.root);
  EXPECT_EQ(parsed.root->entries[0].value.place.text, "t.yaml:1");
}

TEST(Document, ReportsDuplicateKeysWithTheirPath) {
  EXPECT_THAT(parse("a:\n  b: 1\n  c: 2\n  b: 3\n").problems,
              ElementsAre("t.yaml:4: a.b: duplicate key (first at t.yaml:2; keep one)"));
  EXPECT_THAT(parse("{1: x, '1': y}").problems,
              ElementsAre("t.yaml:1: 1: duplicate key (first at t.yaml:1; keep one)"));
}

TEST(Document, ReportsKeysThatAreNotText) {
  const std::string text = "a key must be text (quote it where text is meant)";
  EXPECT_THAT(parse("null: 1\n").problems, ElementsAre("t.yaml:1: " + text));
  EXPECT_THAT(parse("a:\n  [1, 2]: 1\n").problems, ElementsAre("t.yaml:2: a: " + text));
}

TEST(Document, ReportsAliasesTagsAndSecondDocuments) {
  EXPECT_THAT(parse("a: &x 1\nb: *x\n").problems,
              ElementsAre("t.yaml:2: b: YAML aliases are not supported (write the value out)"));
  // A cycle would never end if it were followed.
  EXPECT_THAT(parse("a: &x [*x]\n").problems,
              ElementsAre(HasSubstr("YAML aliases are not supported")));
  EXPECT_THAT(parse("a: !!float 1\n").problems,
              ElementsAre(HasSubstr("t.yaml:1: a: the YAML tag tag:yaml.org,2002:float")));
  EXPECT_THAT(parse("a: 1\n---\nb: 2\n").problems,
              ElementsAre(HasSubstr("t.yaml:2: text after the end of the YAML document")));
}

TEST(Document, ReportsInvalidYamlWithItsLine) {
  const Parsed parsed = parse("a: 1\nb: [1, 2\n");
  EXPECT_FALSE(parsed.root);
  EXPECT_THAT(parsed.problems, ElementsAre(HasSubstr("not valid YAML: ")));
  EXPECT_THAT(parse("a: *.csv\n").problems,
              ElementsAre(HasSubstr("(quote a value that starts with * or &: \"*.csv\")")));
  EXPECT_THAT(parse("a:\n\tb: 1\n").problems, ElementsAre(HasSubstr("t.yaml:2: not valid YAML")));
}

// yaml-cpp finds documents without end here.
TEST(Document, EndsWhereAQuoteIsForgotten) {
  EXPECT_THAT(parse("\": {c: \"\\n\"}\n? d\n: e\n").problems,
              ElementsAre(HasSubstr("text after the end of the YAML document")));
}

TEST(Document, RefusesNestingWithoutEnd) {
  const Parsed parsed = parse(std::string(100'000, '['));
  EXPECT_FALSE(parsed.root);
  EXPECT_THAT(parsed.problems, ElementsAre(HasSubstr("not valid YAML")));
}

TEST(Document, SurvivesEveryCutAndEveryByte) {
  const std::string text = "a: {b: [1, 'x'], c: \"\\n\"}\n? d\n: |\n  text\n";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    parse(text.substr(0, i));
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      if (i < text.size()) changed[i] = static_cast<char>(byte);
      parse(changed);
    }
  }
}

}  // namespace
}  // namespace ossau
