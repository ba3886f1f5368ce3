#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

struct Include {
  std::string file;  // relative to the top folder
  std::string target;
  bool quoted = false;
};

std::vector<Include> includes_of(const std::vector<std::string>& folders) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Include> includes;
  for (const fs::path& file : project_files(folders, {".hpp", ".cpp"})) {
    for (const std::string& line : lines_of(file)) {
      std::smatch match;
      if (!std::regex_search(line, match, pattern)) continue;
      includes.push_back(
          {file.lexically_relative(source_directory()).string(), match[2], match[1] == "\""});
    }
  }
  return includes;
}

// A room may include itself and rooms of a smaller level; backend and comm share one level.
const std::map<std::string, int>& levels() {
  static const std::map<std::string, int> instance = {
      {"core", 0}, {"arith", 1}, {"config", 2}, {"data", 3}, {"backend", 4},
      {"comm", 4}, {"train", 5}, {"report", 6}, {"cli", 7},
  };
  return instance;
}

std::string first_part(const std::string& path) { return path.substr(0, path.find('/')); }

bool is_of_kernels(const std::string& target) {
  return target.find('/') == std::string::npos &&
         fs::exists(source_directory() / "kernels" / target);
}

bool allowed_edge(const std::string& from, const std::string& to) {
  return from == to || levels().at(to) < levels().at(from);
}

TEST(IncludeEdges, EveryRoomHasItsPlaceInTheOrder) {
  for (const auto& entry : fs::directory_iterator(source_directory() / "src")) {
    if (!entry.is_directory()) continue;
    EXPECT_TRUE(levels().contains(entry.path().filename().string())) << entry.path();
  }
}

TEST(IncludeEdges, RoomsIncludeOnlyThoseBelowThem) {
  const std::vector<Include> includes = includes_of({"src"});
  EXPECT_FALSE(includes.empty());
  for (const Include& include : includes) {
    const std::string from = first_part(include.file.substr(std::string("src/").size()));
    const std::string to = first_part(include.target);
    if (!include.quoted || to == "ossau" || !levels().contains(from)) continue;
    // The kernels' headers stand at the top of their folder; the backend that launches them and
    // nobody else knows them.
    if (is_of_kernels(include.target)) {
      EXPECT_TRUE(include.file.starts_with("src/backend/cuda/"))
          << include.file << " includes " << include.target;
      continue;
    }
    ASSERT_TRUE(levels().contains(to))
        << include.file << " includes \"" << include.target << "\": give the path from src/";
    EXPECT_TRUE(allowed_edge(from, to))
        << include.file << " includes " << include.target << ": " << from << " stands below " << to;
  }
}

TEST(IncludeEdges, BackendAndCommDoNotKnowEachOther) {
  EXPECT_FALSE(allowed_edge("backend", "comm"));
  EXPECT_FALSE(allowed_edge("comm", "backend"));
  EXPECT_TRUE(allowed_edge("train", "backend"));
  EXPECT_FALSE(allowed_edge("arith", "data"));
}

TEST(IncludeEdges, PublicHeadersNeedOnlyTheStandardLibrary) {
  const std::vector<Include> includes = includes_of({"include"});
  EXPECT_FALSE(includes.empty());
  for (const Include& include : includes) {
    const bool own = include.quoted && include.target.starts_with("ossau/");
    const bool standard =
        !include.quoted && include.target.find_first_of("/.") == std::string::npos;
    EXPECT_TRUE(own || standard) << include.file << " includes " << include.target;
  }
}

TEST(IncludeEdges, OnlyConfigReadsYaml) {
  for (const Include& include : includes_of({"src"})) {
    if (!include.target.starts_with("yaml-cpp/")) continue;
    EXPECT_TRUE(include.file.starts_with("src/config/"))
        << include.file << " includes " << include.target;
  }
}

}  // namespace
}  // namespace ossau::test
