#include "data/text/format.hpp"

#include <gtest/gtest.h>

namespace ossau {
namespace {

Format detected(const char* name, const char* text) {
  return detect_format(SourceText{name, text});
}

TEST(FormatDetection, FollowsTheExtension) {
  for (const char* name : {"a.svm", "a.libsvm", "a.svmlight", "A.SVM", "a.svm.gz", "a.svm.zst"}) {
    EXPECT_EQ(detected(name, "1,2\n"), Format::kLibsvm) << name;
  }
  for (const char* name : {"a.csv", "a.tsv", "a.csv.gz", "a.tsv.zst"}) {
    EXPECT_EQ(detected(name, "1 1:2\n"), Format::kCsv) << name;
  }
}

TEST(FormatDetection, KnowsLibsvmByItsPairs) {
  EXPECT_EQ(detected("a.txt", "+1 1:0.5 3:1 \n"), Format::kLibsvm);
  EXPECT_EQ(detected("a", "# a comment\n\n1\n-1 qid:3 2:1\r\n"), Format::kLibsvm);
  EXPECT_EQ(detected("a.data", "1 0:1e-3"), Format::kLibsvm);
}

TEST(FormatDetection, TakesEverythingElseAsCsv) {
  EXPECT_EQ(detected("a.txt", "1\t0.5\n"), Format::kCsv);
  EXPECT_EQ(detected("a.txt", "1 2 3\n"), Format::kCsv);
  EXPECT_EQ(detected("a.txt", "1,12:30\n"), Format::kCsv);
  EXPECT_EQ(detected("a.txt", "label,time\n1,12:30\n"), Format::kCsv);
  EXPECT_EQ(detected("a.txt", "1 1:2\nx,y\n"), Format::kCsv);
  EXPECT_EQ(detected("a.txt", ""), Format::kCsv);
}

}  // namespace
}  // namespace ossau
