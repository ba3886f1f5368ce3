#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <set>

#include "data/share.hpp"
#include "processes.hpp"
#include "text_testing.hpp"

// What several processes that read the same files together say where something is wrong.

namespace ossau::test {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// The one message that all processes end with.
std::string common_error(const Files& files, std::int64_t processes) {
  std::set<std::string> errors;
  for (const Reading& reading : read_in_processes(files.config, files.positive, processes)) {
    errors.insert(without_folder(reading.error, files.folder));
  }
  return errors.size() == 1 ? *errors.begin() : "different errors";
}

void expect_common_error(const Files& files) {
  const std::string alone = files.error();
  EXPECT_NE(alone, "no error");
  for (const std::int64_t processes : kProcesses) {
    EXPECT_EQ(common_error(files, processes), alone) << processes << " processes";
  }
}

TEST(SharedReadingErrors, SaysTheSameEverywhereWhereAllRowsTogetherAreWrong) {
  const auto numbered = [](int n, const auto& line) {
    std::string text;
    for (int i = 0; i < n; ++i) text += line(i);
    return text;
  };
  expect_common_error(Files().train("a.csv", "y,x\n"));
  expect_common_error(Files().train("a.svm", "# nothing\n"));
  expect_common_error(
      Files().train("a.svm", numbered(300, [](int i) { return i < 99 ? "1\n" : "0\n"; })));
  expect_common_error(Files().train("a.csv", numbered(300, [](int) { return "1,2\n"; })));
  Files weightless;
  weightless.config.weight = "w";
  weightless.train("a.csv",
                   "y,w,x\n" + numbered(300, [](int i) { return fmt::format("{},0,1\n", i % 2); }));
  expect_common_error(weightless);
  Files positive;
  positive.positive = "3";
  positive.train("a.csv", numbered(300, [](int i) { return fmt::format("{},0,1\n", i / 150); }));
  expect_common_error(positive);
  Files unknown_label;
  unknown_label.train("a.csv", "1,2\n0,3\n").validation("v.csv", numbered(300, [](int i) {
                                                          return i < 70 ? "0,1\n" : "b,1\n";
                                                        }));
  expect_common_error(unknown_label);
}

TEST(SharedReadingErrors, FindsAThirdLabelThatNoProcessSeesAlone) {
  Files files;
  files.config.shuffle = false;
  std::string text = "y,x\n";
  for (int i = 0; i < 192; ++i) text += fmt::format("{},1\n", "abc"[i / 64]);
  files.train("a.csv", text);
  EXPECT_EQ(files.error(),
            "a.csv:130:1: label \"c\" is a third one after \"a\" and \"b\" (give two classes)");
  expect_common_error(files);
}

TEST(SharedReadingErrors, LeavesAMistakeToTheProcessThatHasTheRow) {
  for (const char* mistake : {"1,oops\n", "1\n", ",2\n", "1,2,3\n", "1,\n"}) {
    Files files;
    std::string text = "y,x\n";
    for (int i = 0; i < 600; ++i) text += i == 400 ? mistake : fmt::format("{},2.5\n", i % 2);
    files.train("a.csv", text);
    const std::string alone = files.error();
    EXPECT_THAT(alone, HasSubstr("a.csv:402"));
    for (const std::int64_t processes : kProcesses) {
      std::vector<std::string> errors;
      for (const Reading& reading : read_in_processes(files.config, {}, processes)) {
        EXPECT_FALSE(reading.dataset);
        if (!reading.error.empty()) errors.push_back(without_folder(reading.error, files.folder));
      }
      EXPECT_THAT(errors, ElementsAre(alone)) << processes << " processes";
    }
  }
}

TEST(SharedReadingErrors, ReportsAQuoteWithoutEndByThoseThatMeetIt) {
  Files files;
  std::string text = "y,x\n";
  for (int i = 0; i < 300; ++i) text += fmt::format("{},\"a\nb\"\n", i % 2);
  files.train("a.csv", text + "1,\"never closed\n1,2\n");
  expect_common_error(files);
}

// What the first process of two would tell about its files.
std::string told_by_first(const DataConfig& config) {
  std::string told;
  struct Told {};
  try {
    read_dataset(config, {}, {{0, 2}, 64}, [&](std::string mine, std::string_view) {
      told = std::move(mine);
      throw Told();
      return std::vector<std::string>();
    });
  } catch (const Told&) {
    return told;
  }
  return "nothing";
}

// The error of the second process of two, whose files come to differ after the first has read.
std::string error_of_second(const Files& before, const std::function<void()>& change) {
  const std::string first = told_by_first(before.config);
  change();
  const std::string message = data_error([&] {
    read_dataset(before.config, {}, {{1, 2}, 64}, [&](std::string mine, std::string_view) {
      return std::vector<std::string>{first, std::move(mine)};
    });
  });
  return without_folder(message, before.folder);
}

TEST(SharedReadingErrors, RefusesFilesThatDifferBetweenProcesses) {
  Files files;
  files.train("a.csv", "y,x\n1,2\n0,3\n").train("b.csv", "y,x\n1,2\n0,3\n");
  const auto rewritten = [&](const char* name, const char* text) {
    return error_of_second(files, [&files, name, text] { files.folder.write(name, text); });
  };
  EXPECT_EQ(rewritten("b.csv", "y,x\n1,2\n0,3\n1,4\n"),
            "b.csv: rank 0 read 2 rows, rank 1 3 (every rank must see the same files)");
  files.folder.write("b.csv", "y,x\n1,2\n0,3\n");
  EXPECT_EQ(rewritten("b.csv", "y,x\n1,2\n0,33\n"),
            "b.csv: rank 0 read 12 bytes of text, rank 1 13 (every rank must see the same files)");
  files.folder.write("b.csv", "y,x\n1,2\n0,3\n");
  EXPECT_THAT(rewritten("b.csv", "y,x\n1,2\n0,4\n"),
              MatchesRegex("b.csv: rank 0 read a text with CRC-32 [0-9a-f]{8}, rank 1 one with "
                           "[0-9a-f]{8} \\(every rank must see the same files\\)"));
  files.folder.write("b.csv", "y,x\n1,2\n0,3\n");
  // A copy that is cut off: not a mistake in its last row, though that is one.
  EXPECT_EQ(rewritten("b.csv", "y,x\n1,2\n0"),
            "b.csv: rank 0 read 12 bytes of text, rank 1 9 (every rank must see the same files)");
  files.folder.write("b.csv", "y,x\n1,2\n0,3\n");
  EXPECT_EQ(rewritten("a.csv", "\n"),
            "a.csv: rank 0 read 2 rows, rank 1 0 (every rank must see the same files)");
}

TEST(SharedReadingErrors, RefusesOtherNumbersOfFilesAndSaysWhatTheyAreCalledThere) {
  Files files;
  files.folder.write("a.csv", "y,x\n1,2\n0,3\n");
  files.config.train = {(files.folder.path() / "*.csv").string()};
  EXPECT_EQ(
      error_of_second(files, [&] { files.folder.write("b.csv", "y,x\n1,2\n"); }),
      "data.train: the number of files is 1 on rank 0, 2 on rank 1 (every rank must see the same "
      "files)");
  EXPECT_EQ(error_of_second(files,
                            [&] {
                              std::filesystem::remove(files.folder.path() / "b.csv");
                              files.folder.write("c.csv", "y,x\n1,2\n0,5\n");
                            }),
            "b.csv: rank 0 read 1 rows, rank 1 (c.csv) 2 (every rank must see the same files)");
}

TEST(SharedReadingErrors, RefusesAFileThatChangesBetweenTwoLooks) {
  Files files;
  files.train("a.csv", "y,x\n1,2\n0,3\n").train("b.csv", "y,x\n1,2\n0,3\n");
  const std::string message = data_error([&] {
    read_dataset(files.config, {}, {{0, 2}, 64}, [&](const std::string& mine, std::string_view) {
      files.folder.write("a.csv", "y,x\n1,2\n0,4\n");
      return std::vector<std::string>{mine, mine};
    });
  });
  EXPECT_EQ(without_folder(message, files.folder),
            "a.csv: the file changed while it was read (start again once it is complete)");
}

TEST(SharedReadingErrors, LeavesAMissingFileToTheProcessThatMissesIt) {
  Files files;
  files.config.train = {"nowhere.csv"};
  EXPECT_THAT(data_error([&] {
                read_dataset(files.config, {}, {{1, 2}, 64},
                             [](const std::string&, std::string_view) {
                               ADD_FAILURE() << "nothing to tell";
                               return std::vector<std::string>();
                             });
              }),
              HasSubstr("nowhere.csv: cannot read the file"));
}

}  // namespace
}  // namespace ossau::test
