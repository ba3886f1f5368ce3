#include "config/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cfenv>
#include <filesystem>

#include "ossau/error.hpp"
#include "ossau/ossau.hpp"
#include "support/files.hpp"
#include "support/log_capture.hpp"

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::filesystem::path& file) {
  try {
    load_config(file);
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.code(), ExitCode::kConfig);
    return error.what();
  }
  return "";
}

TEST(LoadConfig, NamesTheRunDirectoryAfterTheFile) {
  const TemporaryDirectory folder;
  const auto file = folder.write("clicks.march.yaml", "data: {train: clicks.csv}\n");
  EXPECT_EQ(load_config(file).run.directory, "runs/clicks.march");
  EXPECT_EQ(load_config(file, {"run.directory=elsewhere"}).run.directory, "elsewhere");
}

TEST(LoadConfig, KeepsRelativeDataPathsAsTheyAre) {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.yaml", "data: {train: [b.csv, c/*.csv]}\n");
  EXPECT_THAT(load_config(file).data.train, ElementsAre("b.csv", "c/*.csv"));
}

TEST(LoadConfig, ReportsAMissingFile) {
  EXPECT_EQ(
      error_of("/nowhere/a.yaml"),
      "/nowhere/a.yaml: cannot read it: No such file or directory (name rows to learn from, or "
      "a configuration; `ossau config > FILE` writes one to start from)");
}

TEST(LoadConfig, ReportsADirectory) {
  const TemporaryDirectory folder;
  EXPECT_THAT(error_of(folder.path()), HasSubstr("it is a directory"));
}

TEST(LoadConfig, ReportsAFileTooLargeForAConfiguration) {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.yaml", "a:\n" + std::string(1 << 20, '#'));
  EXPECT_THAT(error_of(file), HasSubstr("it is larger than 1 MiB; data belongs in data.train"));
}

// Told apart by their content, not their names.
TEST(LoadConfig, TakesAFileOfRowsForTrainingData) {
  const TemporaryDirectory folder;
  for (const char* rows :
       {"label,x\n1,2\n", "1 1:0.5 3:2\n", "-1 1:0.5\n", "# made today\n\n1\t2\n", "\x1f\x8b\x08 ",
        "yes 1:1\n", "\xEF\xBB\xBFname;of\n"}) {
    const auto file = folder.write("clicks.csv.gz", rows);
    const Config config = load_config(file, {"model.l2=0.5"});
    EXPECT_THAT(config.data.train, ElementsAre(file.string())) << rows;
    EXPECT_EQ(config.run.directory, "runs/clicks") << rows;
    EXPECT_EQ(config.model.l2, 0.5);
  }
  for (const char* yaml : {"# no\ndata: {train: a.csv}\n", "{data: {train: a.csv}}\n",
                           "---\ndata:\n  train: a.csv\n", "\"data\":\n  train: a.csv\n"}) {
    const auto file = folder.write("rows.csv", yaml);
    EXPECT_THAT(load_config(file).data.train, ElementsAre("a.csv")) << yaml;
  }
  const auto large = folder.write("large.csv", std::string((1 << 20) + 1, '1'));
  EXPECT_THAT(load_config(large).data.train, ElementsAre(large.string()));
}

TEST(LoadConfig, RequiresTrainingData) {
  const TemporaryDirectory folder;
  for (const char* yaml :
       {"", "# nothing\n", "data:\n", "data: {train: null}\n", "data: {train: []}\n"}) {
    const auto file = folder.write("a.yaml", yaml);
    EXPECT_THAT(error_of(file), HasSubstr("data.train: required (name the file to learn from)"))
        << yaml;
  }
}

TEST(LoadConfig, ReportsTrainingDataOfTheWrongKindOnce) {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.yaml", "data: {train: {a: b}}\n");
  EXPECT_THAT(error_of(file), AllOf(HasSubstr("a.yaml:1: data.train: a map does not fit"),
                                    ::testing::Not(HasSubstr("required"))));
}

TEST(LoadConfig, ReportsADocumentWithoutSections) {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.yaml", "\n- train\n");
  EXPECT_THAT(error_of(file), HasSubstr("a.yaml:2: a list stands where sections are expected"));
}

TEST(LoadConfig, LogsWarningsAndGoesOn) {
  const TemporaryDirectory folder;
  const auto file = folder.write("a.yaml",
                                 "data: {train: a.csv}\n"
                                 "optimizer:\n  restart: adaptive\n  momentum: 0.9\n"
                                 "training: {batch_size: all}\n");
  const LogCapture log;
  EXPECT_EQ(load_config(file).optimizer.momentum, 0.9);
  EXPECT_THAT(log.warnings(),
              ElementsAre(file.string() +
                          ":4: optimizer.momentum: ignored: restart adaptive uses Nesterov's own "
                          "growing momentum"));
}

TEST(ParseConfig, ReadsWindowsLineEndsAndAByteOrderMark) {
  const LoadedConfig loaded = parse_config(
      "\xEF\xBB\xBF"
      "data:\r\n  train: a.csv\r\nmodel:\r\n  l2: 2\r\n",
      "w.yaml");
  EXPECT_THAT(loaded.config.data.train, ElementsAre("a.csv"));
  EXPECT_EQ(loaded.config.model.l2, 2);
}

TEST(Version, HasThreeNumbers) {
  EXPECT_THAT(version(), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST(LoadConfig, ReadsNumbersTheSameUnderAnyRounding) {
  const TemporaryDirectory directory;
  const auto file = directory.write("a.yaml", "data: {train: a.csv}\nmodel: {l1: 0.3}\n");
  const double expected = 0.3;
  std::fesetround(FE_UPWARD);
  const Config config = load_config(file);
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(config.model.l1, expected);
}

}  // namespace
}  // namespace ossau::test
