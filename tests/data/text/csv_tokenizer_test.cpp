#include "data/text/csv_tokenizer.hpp"

#include "text_testing.hpp"

namespace ossau::test {
namespace {
using ::testing::ElementsAre;

using Records = std::vector<std::vector<std::string>>;
using Record = std::vector<std::string>;

Records records(const std::string& text, char delimiter = ',') {
  const SourceText file{"a.csv", text};
  CsvTokenizer tokenizer(file, delimiter);
  std::vector<CsvCell> cells;
  Records all;
  while (tokenizer.next(cells)) {
    Record& record = all.emplace_back();
    for (const CsvCell& cell : cells) record.emplace_back(cell.text);
  }
  return all;
}

TEST(CsvTokenizer, CutsLinesAndCells) {
  EXPECT_THAT(records("a,b\nc,d\n"), ElementsAre(Record{"a", "b"}, Record{"c", "d"}));
  EXPECT_THAT(records("a,b\r\nc,d"), ElementsAre(Record{"a", "b"}, Record{"c", "d"}));
  EXPECT_THAT(records("a\tb c\n", '\t'), ElementsAre(Record{"a", "b c"}));
}

TEST(CsvTokenizer, KeepsEmptyCells) {
  EXPECT_THAT(records(",a,\n,,"), ElementsAre(Record{"", "a", ""}, Record{"", "", ""}));
  EXPECT_THAT(records("\t\n", '\t'), ElementsAre(Record{"", ""}));
}

TEST(CsvTokenizer, TrimsCells) {
  EXPECT_THAT(records(" a , b\t\n"), ElementsAre(Record{"a", "b"}));
  EXPECT_THAT(records("a, \n"), ElementsAre(Record{"a", ""}));
}

TEST(CsvTokenizer, SkipsBlankLines) {
  EXPECT_THAT(records("\n\r\na,b\n  \n\nc,d\n\n"), ElementsAre(Record{"a", "b"}, Record{"c", "d"}));
  EXPECT_TRUE(records(" \n\r\n").empty());
  EXPECT_TRUE(records("").empty());
}

TEST(CsvTokenizer, ReadsQuotes) {
  EXPECT_THAT(records("\"a,b\",c\n"), ElementsAre(Record{"a,b", "c"}));
  EXPECT_THAT(records("\"say \"\"hi\"\"\", \"\" ,\"\"\"\"\n"),
              ElementsAre(Record{"say \"hi\"", "", "\""}));
  EXPECT_THAT(records("\"two\nlines\",x\n1,2\n"),
              ElementsAre(Record{"two\nlines", "x"}, Record{"1", "2"}));
  EXPECT_THAT(records("5\" pipe,x\n"), ElementsAre(Record{"5\" pipe", "x"}));
  EXPECT_THAT(records("\"a\""), ElementsAre(Record{"a"}));
}

TEST(CsvTokenizer, TakesRunsOfSpacesAsOneDelimiter) {
  EXPECT_THAT(records("  1  2\t3 \r\n4 5 6\n", ' '),
              ElementsAre(Record{"1", "2", "3"}, Record{"4", "5", "6"}));
  EXPECT_THAT(records("\"a b\"  c \"d\" \n", ' '), ElementsAre(Record{"a b", "c", "d"}));
}

TEST(CsvTokenizer, NamesWhereAnOpenQuoteBegan) {
  EXPECT_EQ(data_error([] { records("a,b\nc,\"d\ne,f\n"); }),
            "a.csv:2:3: this quote is never closed (close it, or double it)");
}

TEST(CsvTokenizer, RefusesTextAfterAClosingQuote) {
  EXPECT_EQ(data_error([] { records("\"a\" b,c\n"); }),
            "a.csv:1:5: text after the closing quote of \"a\" (double quotes inside)");
}

}  // namespace
}  // namespace ossau::test
