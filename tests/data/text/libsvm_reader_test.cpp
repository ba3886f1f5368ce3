#include "data/text/libsvm_reader.hpp"

#include "core/memory.hpp"
#include "text_testing.hpp"

namespace ossau::test {
namespace {
using ::testing::ElementsAre;
using ::testing::IsEmpty;

LibsvmRows read(const std::string& text, const LibsvmOptions& options = {}) {
  SourceSet files({{"clicks.svm", text}});
  return read_libsvm(files, options);
}

std::string error(const std::string& text, const LibsvmOptions& options = {}) {
  return data_error([&] { read(text, options); });
}

void expect_two_rows(const LibsvmRows& rows) {
  EXPECT_THAT(rows.table.row_start, ElementsAre(0, 2, 3));
  EXPECT_THAT(rows.table.index, ElementsAre(0, 2, 1));
  EXPECT_THAT(rows.table.value, ElementsAre(0.5, 1.0, -2.0));
  EXPECT_THAT(rows.table.label, ElementsAre(0, 1));
  EXPECT_THAT(rows.table.weight, IsEmpty());
  EXPECT_EQ(rows.n_features, 3);
}

TEST(LibsvmReader, ReadsRows) { expect_two_rows(read("+1 1:0.5 3:1\n-1 2:-2\n")); }

TEST(LibsvmReader, AllowsSpacesTabsAndWindowsLineEnds) {
  expect_two_rows(read("  +1\t1:0.5  3:1 \t \r\n-1 2:-2\t\r\n"));
}

TEST(LibsvmReader, DoesNotNeedAFinalNewline) { expect_two_rows(read("+1 1:0.5 3:1\n-1 2:-2")); }

TEST(LibsvmReader, SkipsCommentsAndBlankLines) {
  expect_two_rows(read("# two rows\n\n+1 1:0.5 3:1 # first\n   \t\n\r\n-1 2:-2# 3:4\n#\n"));
}

TEST(LibsvmReader, RefusesAnIndexThatNoMemoryHolds) {
  // 2^31 features of 256 bytes are 512 GB; a machine that large may read them.
  if (physical_memory_bytes() >= (std::uint64_t{512} << 30)) {
    GTEST_SKIP() << "this machine has the memory";
  }
  EXPECT_THAT(error("1 1:2\n0 2147483646:1\n"),
              ::testing::AllOf(::testing::StartsWith("clicks.svm:2:3: "),
                               ::testing::HasSubstr("asks for 2147483646 features")));
}

TEST(LibsvmReader, SortsIndices) { expect_two_rows(read("+1 3:1 1:0.5\n-1 2:-2\n")); }

TEST(LibsvmReader, DropsZerosButCountsTheirIndex) {
  const LibsvmRows rows = read("1 1:0 2:3 7:-0.0\n0 1:1e-400\n");
  EXPECT_THAT(rows.table.row_start, ElementsAre(0, 1, 1));
  EXPECT_THAT(rows.table.index, ElementsAre(1));
  EXPECT_EQ(rows.n_features, 7);
}

TEST(LibsvmReader, KeepsRowsWithoutFeatures) {
  EXPECT_THAT(read("1\n0 1:2\n1 \n").table.row_start, ElementsAre(0, 0, 1, 1));
}

TEST(LibsvmReader, CountsQueryIds) {
  const LibsvmRows rows = read("1 1:1\n1 qid:7 1:2\n0 qid:8 1:3\n");
  EXPECT_EQ(rows.query_ids.count, 2);
  EXPECT_EQ(rows.query_ids.first.where, "clicks.svm:2:3");
  EXPECT_THAT(rows.table.value, ElementsAre(1.0, 2.0, 3.0));
}

TEST(LibsvmReader, ReadsIndicesFromZeroWhereAllowed) {
  const LibsvmRows rows = read("1 0:5 2:6\n", {.zero_based = true, .n_features = {}});
  EXPECT_THAT(rows.table.index, ElementsAre(0, 2));
  EXPECT_EQ(rows.n_features, 3);
}

TEST(LibsvmReader, NamesThePlaceAndRemedyOfIndexZero) {
  std::string text;
  for (int line = 1; line < 4711; ++line) text += "1 1:1\n";
  text += "-1 3:0.25 5:1 6:1 7:1 0:1\n";
  EXPECT_EQ(error(text),
            "clicks.svm:4711:23: feature index 0 (indices start at 1; set data.zero_based: true to "
            "allow it)");
}

TEST(LibsvmReader, RefusesIndicesThatDoNotFit) {
  EXPECT_EQ(read("1 1000000:1\n").n_features, 1000000);
  EXPECT_EQ(error("1 2147483647:1\n"),
            "clicks.svm:1:3: feature index 2147483647 (the largest allowed is 2147483646; number "
            "them anew)");
  EXPECT_EQ(error("1 99999999999999999999:1\n"),
            "clicks.svm:1:3: feature index 99999999999999999999 (the largest allowed is "
            "2147483646; number them anew)");
}

TEST(LibsvmReader, RefusesAnIndexTwiceInARow) {
  EXPECT_EQ(error("1 2:1 5:1\n0 5:1 2:1 5:2\n"),
            "clicks.svm:2:11: feature index 5 stands twice in this row (keep one of them)");
  EXPECT_NE(error("1 5:0 5:0\n"), "no error");
}

TEST(LibsvmReader, NamesThePlaceOfABadValue) {
  EXPECT_EQ(error("1 1:1 12:abc\n"),
            "clicks.svm:1:10: feature 12: \"abc\" is not a number (write it like 12 or -3.5e-7)");
  EXPECT_EQ(error("1 1:1e999\n"),
            "clicks.svm:1:5: feature 1: \"1e999\" is too large (a number is at most 1.8e308)");
  EXPECT_EQ(error("1 1:nan\n"),
            "clicks.svm:1:5: feature 1: \"nan\" is not finite (fill in a number, or remove the "
            "row)");
  EXPECT_EQ(error("1 1: 2\n"),
            "clicks.svm:1:5: feature 1: \"\" is not a number (write it like 12 or -3.5e-7)");
}

TEST(LibsvmReader, NamesThePlaceOfABadToken) {
  EXPECT_EQ(error("1 1:1\n0 foo\n"),
            "clicks.svm:2:3: \"foo\" is not a feature (write index:value)");
  EXPECT_EQ(error("1 -3:1\n"),
            "clicks.svm:1:3: \"-3\" is not a feature index (write a whole number, digits only)");
  EXPECT_EQ(error("1:1 2:1\n"),
            "clicks.svm:1:1: \"1:1\" stands where the label belongs (begin each line with one)");
  EXPECT_EQ(error("1,2,3\n"),
            "clicks.svm:1:1: \"1,2,3\" is not one label (if this is a CSV file, set data.format: "
            "csv)");
}

TEST(LibsvmReader, LeavesOutFeaturesThatAreNotKnown) {
  const LibsvmRows rows =
      read("1 1:1 3:1\n0 2:1 4:1 9:1\n", {.zero_based = false, .n_features = 2});
  EXPECT_THAT(rows.table.index, ElementsAre(0, 1));
  EXPECT_EQ(rows.unknown.count, 3);
  EXPECT_EQ(rows.unknown.first.where, "clicks.svm:1:7");
}

}  // namespace
}  // namespace ossau::test
