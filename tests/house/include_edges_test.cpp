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
  for (const fs::path& file : project_files(folders, {".hpp", ".cpp", ".cuh", ".cu"})) {
    for (const std::string& line : lines_of(file)) {
      std::smatch match;
      if (!std::regex_search(line, match, pattern)) continue;
      includes.push_back(
          {file.lexically_relative(source_directory()).string(), match[2], match[1] == "\""});
    }
  }
  return includes;
}

// A room may include itself and rooms of a smaller level; kernels and config share one, and so do
// backend and comm.
const std::map<std::string, int>& levels() {
  static const std::map<std::string, int> instance = {
      {"core", 0}, {"arith", 1}, {"kernels", 2}, {"config", 2}, {"data", 3}, {"backend", 4},
      {"comm", 4}, {"solve", 5}, {"train", 6},   {"report", 7}, {"cli", 8},
  };
  return instance;
}

std::string first_part(const std::string& path) { return path.substr(0, path.find('/')); }

// "src/data/tiles.hpp" is of data; the kernels' files stand at the top of their folder.
std::string room_of_file(const std::string& file) {
  return first_part(file.starts_with("src/") ? file.substr(std::string("src/").size()) : file);
}

std::string room_of_target(const std::string& target) {
  const bool of_kernels =
      target.find('/') == std::string::npos && fs::exists(source_directory() / "kernels" / target);
  return of_kernels ? "kernels" : first_part(target);
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
  const std::vector<Include> includes = includes_of({"src", "kernels"});
  EXPECT_FALSE(includes.empty());
  for (const Include& include : includes) {
    const std::string from = room_of_file(include.file);
    const std::string to = room_of_target(include.target);
    if (!include.quoted || to == "ossau") continue;
    ASSERT_TRUE(levels().contains(to))
        << include.file << " includes \"" << include.target << "\": give the path from src/";
    EXPECT_TRUE(allowed_edge(from, to))
        << include.file << " includes " << include.target << ": " << from << " stands below " << to;
  }
}

// What a kernel needs of the configuration, the data or the backend is a number that it is given.
TEST(IncludeEdges, KernelsKnowNothingAboveTheArithmetic) {
  bool any = false;
  for (const Include& include : includes_of({"kernels"})) {
    any = any || include.file.ends_with(".cuh");
    if (!include.quoted) continue;
    const std::string to = room_of_target(include.target);
    EXPECT_TRUE(to == "kernels" || to == "arith" || to == "core" || to == "ossau")
        << include.file << " includes " << include.target;
  }
  EXPECT_TRUE(any);
}

TEST(IncludeEdges, OnlyTheCudaBackendLaunchesKernels) {
  for (const Include& include : includes_of({"src"})) {
    if (room_of_target(include.target) != "kernels") continue;
    EXPECT_TRUE(include.file.starts_with("src/backend/cuda/"))
        << include.file << " includes " << include.target;
  }
}

TEST(IncludeEdges, BackendAndCommDoNotKnowEachOther) {
  EXPECT_FALSE(allowed_edge("backend", "comm"));
  EXPECT_FALSE(allowed_edge("comm", "backend"));
  EXPECT_TRUE(allowed_edge("train", "backend"));
  EXPECT_TRUE(allowed_edge("train", "solve"));
  EXPECT_FALSE(allowed_edge("solve", "train"));
  EXPECT_FALSE(allowed_edge("arith", "data"));
  EXPECT_FALSE(allowed_edge("kernels", "data"));
  EXPECT_TRUE(allowed_edge("backend", "kernels"));
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
