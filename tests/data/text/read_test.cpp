#include "data/read.hpp"

#include "support/log_capture.hpp"
#include "text_testing.hpp"

namespace ossau::test {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> cleaned(const std::vector<std::string>& messages, const Files& files) {
  std::vector<std::string> out;
  out.reserve(messages.size());
  for (const std::string& message : messages) {
    out.push_back(without_folder(message, files.folder));
  }
  return out;
}

TEST(ReadDataset, ReadsLibsvmWithValidationRows) {
  Files files;
  files.train("a.svm", "-1 1:1 3:2\n+1 2:1\n").validation("b.svm", "1 1:4\n0 2:5\n");
  const Dataset data = files.read();
  EXPECT_EQ(data.schema.format, Format::kLibsvm);
  EXPECT_THAT(data.schema.feature_names, ElementsAre("f1", "f2", "f3"));
  EXPECT_THAT(data.schema.classes, ElementsAre("-1", "1"));
  EXPECT_THAT(data.train.label, ElementsAre(0, 1));
  ASSERT_TRUE(data.validation);
  EXPECT_THAT(data.validation->label, ElementsAre(1, 0));
  EXPECT_THAT(data.validation->index, ElementsAre(0, 1));
}

TEST(ReadDataset, KeepsTheFilesOwnNumbering) {
  Files files;
  files.config.zero_based = true;
  files.train("a.svm", "-1 0:1\n+1 1:1\n");
  EXPECT_THAT(files.read().schema.feature_names, ElementsAre("f0", "f1"));
  EXPECT_TRUE(files.read().schema.zero_based);
}

TEST(ReadDataset, KeepsTheMeaningOfPositiveInValidationRows) {
  Files files;
  files.positive = "-1";
  files.train("a.svm", "-1 1:1\n+1 1:2\n").validation("b.svm", "0 1:4\n1 1:5\n");
  const Dataset data = files.read();
  EXPECT_THAT(data.schema.classes, ElementsAre("1", "-1"));
  EXPECT_THAT(data.train.label, ElementsAre(1, 0));
  EXPECT_THAT(data.validation->label, ElementsAre(1, 0));
}

TEST(ReadDataset, WarnsOnceOfQueryIds) {
  const LogCapture log;
  Files files;
  files.train("a.svm", "1 qid:1 1:1\n0 qid:1 1:2\n").validation("b.svm", "1 qid:2 1:1\n");
  files.read();
  EXPECT_THAT(cleaned(log.warnings(), files),
              ElementsAre("a.svm:1:3: qid is ignored (3 of them; a classifier does not rank)"));
}

TEST(ReadDataset, WarnsOnceOfFeaturesBeyondTheTrainingRows) {
  const LogCapture log;
  Files files;
  files.train("a.svm", "1 1:1\n0 2:2\n").validation("b.svm", "1 1:1 3:1\n0 2:1 4:1\n");
  EXPECT_THAT(files.read().validation->index, ElementsAre(0, 1));
  EXPECT_THAT(cleaned(log.warnings(), files),
              ElementsAre("b.svm:1:7: 2 entries are ignored: their index is above 2, the last "
                          "feature of the training rows"));
}

TEST(ReadDataset, WarnsOfUnseenCategoriesAndExtraColumns) {
  const LogCapture log;
  Files files;
  files.train("a.csv", "y,x\n1,red\n0,blue\n");
  files.validation("b.csv", "y,x,z\n1,red,1\n0,green,1\n0,green,1\n");
  EXPECT_THAT(files.read().validation->row_start, ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(cleaned(log.warnings(), files),
              ElementsAre("data.validation: columns that the training rows do not have are "
                          "ignored: \"z\"",
                          "b.csv:3:3: 2 cells hold a category that no training row has, this one "
                          "\"x=green\"; they count as none of the known ones"));
}

TEST(ReadDataset, ReadsGlobsListsAndCompressedFiles) {
  Files files;
  files.folder.write("part-2.csv", "y,x\n0,2\n");
  files.folder.write("part-1.csv", "y,x\n1,1\n");
  files.folder.write("part-3.csv", "");
  files.config.train = {files.folder.path().string() + "/part-*.csv"};
  files.train("more.csv.gz", gzipped("y,x\n1,3\n")).train("last.csv.zst", zstd_packed("y,x\n0,4"));
  EXPECT_THAT(files.read().train.value, ElementsAre(1, 2, 3, 4));
}

TEST(ReadDataset, FollowsTheFormatOption) {
  Files files;
  files.config.format = Format::kLibsvm;
  files.train("a.csv", "1 1:1\n0 1:2\n");
  EXPECT_EQ(files.read().schema.format, Format::kLibsvm);
}

TEST(ReadDataset, RefusesFilesOfTwoFormats) {
  Files files;
  files.train("a.svm", "1 1:1\n0 1:2\n").validation("b.csv", "1,2\n");
  EXPECT_EQ(files.error(), "b.csv: the first training file is LIBSVM (give files of one format)");
}

TEST(ReadDataset, RefusesDataWithoutRows) {
  EXPECT_EQ(Files().train("a.csv", "").error(), "a.csv: the file has no rows");
  EXPECT_EQ(Files().train("a.svm", "\n \n").error(), "a.svm: the file has no rows");
  EXPECT_EQ(Files().train("a.svm", "# nothing\n").error(), "a.svm: the file has no rows");
  EXPECT_EQ(Files().train("a.csv", "y,x\n").error(), "a.csv: the file has no rows");
  EXPECT_EQ(Files().train("a.csv", "1,2\n0,3\n").validation("b.csv", "").error(),
            "b.csv: the file has no rows");
  EXPECT_THROW(Files().read(), ConfigError);
}

TEST(ReadDataset, RefusesOneRowAndOneClass) {
  EXPECT_EQ(Files().train("a.csv", "1,2\n").error(),
            "a.csv: only one class, every row has the label \"1\" (give two)");
  EXPECT_EQ(Files().train("a.svm", "1 1:2\n1 1:3\n").train("b.svm", "1 1:2\n").error(),
            "a.svm and 1 more: only one class, every row has the label \"1\" (give two)");
}

TEST(ReadDataset, RefusesLabelsWithoutFeatures) {
  EXPECT_EQ(Files().train("a.svm", "1\n0\n").error(),
            "a.svm: no features, only labels (check data.format)");
}

TEST(ReadDataset, RefusesAThirdLabelWithItsPlace) {
  EXPECT_EQ(Files().train("a.csv", "0,2\n1,2\n").train("b.csv", "0,5\n2,5\n").error(),
            "b.csv:2:1: label \"2\" is a third one after \"0\" and \"1\" (give two classes)");
}

TEST(ReadDataset, RefusesValidationLabelsThatDoNotMatch) {
  EXPECT_EQ(Files().train("a.csv", "no,2\nyes,2\n").validation("b.csv", "no,1\nyes.,1\n").error(),
            "b.csv:2:1: no training row has the label \"yes.\" (theirs are \"no\" and \"yes\")");
}

TEST(ReadDataset, RefusesAWeightColumnOfLibsvm) {
  Files files;
  files.config.weight = "w";
  files.train("a.svm", "1 1:1\n0 1:2\n");
  EXPECT_THROW(files.read(), ConfigError);
}

TEST(ReadDataset, RefusesAMissingFileAndBinaryContent) {
  Files files;
  files.config.train = {files.folder.path().string() + "/none.csv"};
  EXPECT_EQ(files.error(), "none.csv: cannot read the file: No such file or directory");
  EXPECT_THAT(Files().train("a.csv", std::string_view("1,2\n0\0", 6)).error(),
              StartsWith("a.csv:2:2: NUL byte"));
}

}  // namespace
}  // namespace ossau::test
