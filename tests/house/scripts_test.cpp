#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

std::vector<fs::path> programs() {
  std::vector<fs::path> files = project_files({"scripts", ".ci"});
  std::erase_if(files, [](const fs::path& file) { return file.filename() == "common.sh"; });
  return files;
}

TEST(Scripts, StopAtTheFirstError) {
  EXPECT_FALSE(programs().empty());
  for (const fs::path& file : programs()) {
    const std::string text = read_file(file);
    EXPECT_TRUE(text.starts_with("#!/usr/bin/env bash\n")) << file;
    EXPECT_NE(text.find("\nset -euo pipefail\n"), std::string::npos) << file;
  }
}

TEST(Scripts, CanBeStarted) {
  for (const fs::path& file : programs()) {
    const fs::perms mode = fs::status(file).permissions();
    EXPECT_NE(mode & fs::perms::owner_exec, fs::perms::none) << file;
  }
}

TEST(Scripts, PleaseShellcheck) {
  if (!has_program("shellcheck")) GTEST_SKIP() << "shellcheck is not installed";
  const CommandResult result =
      run_command("shellcheck -x -P scripts scripts/*.sh .ci/run recipes/*.sbatch");
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST(Scripts, RefuseWhatTheyDoNotKnow) {
  for (const std::string script : {"scripts/test.sh", "scripts/install_dependencies.sh"}) {
    const CommandResult result = run_command(script + " --no-such-thing");
    EXPECT_NE(result.exit_code, 0) << script;
    EXPECT_NE(result.output.find("--no-such-thing"), std::string::npos) << result.output;
  }
}

TEST(Scripts, RunFromAnyFolder) {
  const CommandResult result = run_command("top=$PWD; cd / && \"$top/scripts/test.sh\" --help");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("--all"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace ossau::test
