#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

std::vector<fs::path> written_by_hand() {
  return project_files({".ci",
                        ".clang-format",
                        ".clang-tidy",
                        ".dockerignore",
                        ".gitignore",
                        "CMakeLists.txt",
                        "CMakePresets.json",
                        "CHANGELOG.md",
                        "CONTRIBUTING.md",
                        "Dockerfile.cuda",
                        "README.md",
                        "benchmarks",
                        "cmake",
                        "configs",
                        "docs",
                        "include",
                        "kernels",
                        "recipes",
                        "scripts",
                        "src",
                        "tests"});
}

void expect_nowhere(const std::regex& pattern) {
  for (const fs::path& file : written_by_hand()) {
    int number = 0;
    for (const std::string& line : lines_of(file)) {
      ++number;
      EXPECT_FALSE(std::regex_search(line, pattern))
          << file.string() << ":" << number << ": " << line;
    }
  }
}

// The patterns are put together from pieces so that they do not match themselves.

TEST(Text, NoMarkOfUnfinishedWorkIsLeft) {
  expect_nowhere(std::regex(std::string(R"(\b(TO)") + "DO|FIX" + "ME|XX" + "X|HA" + R"(CK)\b)"));
}

TEST(Text, NoMergeConflictIsLeft) {
  expect_nowhere(std::regex(std::string("^(<<<") + "<<<<|>>>" + ">>>>)( |$)"));
}

TEST(Text, NoPathOfOneMachineIsWritten) {
  expect_nowhere(std::regex(std::string(R"((^|[\s"'=(:]))") + "/(wo" + "rk|ho" + "me|ro" + "ot)/"));
}

TEST(Text, EveryPageNamesOnlyFilesThatExist) {
  const std::regex link(R"(\]\(([^)#]+)[^)]*\))");
  const std::regex mention(
      R"(\b(benchmarks|cmake|configs|docs|examples|include|recipes|scripts|src|tests)/[A-Za-z0-9_./-]*)");
  for (const fs::path& page : project_files({"README.md", "CONTRIBUTING.md", "docs"}, {})) {
    if (page.extension() != ".md") continue;
    const std::string text = read_file(page);
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
      const std::string target = (*it)[1];
      if (target.find("://") != std::string::npos) continue;
      EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page << " links to " << target;
    }
    const std::string own = std::regex_replace(text, std::regex(R"(https?://[^\s)]+)"), "");
    for (std::sregex_iterator it(own.begin(), own.end(), mention), end; it != end; ++it) {
      std::string target = it->str();
      while (target.ends_with('.')) target.pop_back();  // the end of a sentence
      EXPECT_TRUE(fs::exists(source_directory() / target) ||
                  fs::exists(page.parent_path() / target))
          << page << " names " << target;
    }
  }
}

TEST(Text, CommentsAndStringsAreBlanked) {
  EXPECT_EQ(code_only("a // exp(\nb"), "a        \nb");
  EXPECT_EQ(code_only("f(\"exp(\", '\"') /* exp( */ + 1'000"), "f(      ,    )            + 1'000");
}

}  // namespace
}  // namespace ossau::test
