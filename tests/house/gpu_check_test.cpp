#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "house/project.hpp"
#include "support/files.hpp"

// scripts/gpu_check.sh with programs that only pretend: what it makes of what they do.

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

// One line of a `case`: what gpu_test does where its arguments hold a pattern.
using Behaviour = std::map<std::string, std::string>;

const std::string kPass = "echo '[  PASSED  ] 1 test.'";

// Steps whose filter begins with this.
std::string of(const std::string& cases) { return "*\"=*" + cases + "\"*"; }

class GpuCheck : public ::testing::Test {
 protected:
  GpuCheck() {
    for (const std::string script : {"common.sh", "gpu_check.sh"}) {
      write("scripts/" + script, read_file(source_directory() / "scripts" / script));
    }
    write("build/gpu/commit", "abc\n");
    for (const std::string program : {"ossau", "gpu_gradient_bench", "libossau_cuda.so"}) {
      write("build/gpu/bin/" + program, "#!/bin/bash\necho '{}'\n");
    }
  }

  // Runs one part; its JSON.
  nlohmann::json check(const std::string& part, const Behaviour& behaviour) {
    std::string text = "#!/bin/bash\ncase \"$*\" in\n";
    for (const auto& [pattern, commands] : behaviour) text += pattern + ") " + commands + " ;;\n";
    write("build/gpu/bin/gpu_test", text + "*) " + kPass + " ;;\nesac\n");
    result_ =
        run_command("cd '" + top_.path().string() + "' && OUT=out scripts/gpu_check.sh --" + part);
    return nlohmann::json::parse(read_file(top_.path() / "out" / (part + ".json")));
  }

  static std::string verdict(const nlohmann::json& json, const std::string& name) {
    for (const auto& step : json.at("steps")) {
      if (step.at("name").get<std::string>().starts_with(name)) return step.at("verdict");
    }
    return "not there";
  }

  CommandResult result_;

 private:
  void write(const std::string& name, const std::string& text) {
    const fs::path file = top_.path() / name;
    fs::create_directories(file.parent_path());
    top_.write(name, text);
    fs::permissions(file, fs::perms::owner_all);
  }

  TemporaryDirectory top_;
};

TEST_F(GpuCheck, GoesOnAfterAStepThatFailsHangsIsSkippedOrRunsNothing) {
  const auto json = check("first", {{of("SumsSparse"), "echo 'wrong \"sums\"'; exit 1"},
                                    {of("SumsDense"), "exit 124"},
                                    {of("VeryWide"), "echo '[  SKIPPED ] one'; " + kPass},
                                    {of("GpuRing*/100"), "echo '[  PASSED  ] 0 tests.'"}});
  EXPECT_NE(result_.exit_code, 0);
  EXPECT_EQ(verdict(json, "context"), "passed");
  EXPECT_EQ(verdict(json, "sparse rows"), "failed");
  EXPECT_EQ(verdict(json, "dense rows: the first"), "no answer");
  EXPECT_EQ(verdict(json, "very wide"), "skipped");
  EXPECT_EQ(verdict(json, "rings that are filled again and again, 100"), "no tests");
  EXPECT_EQ(verdict(json, "rows that stream"), "passed");
  EXPECT_EQ(verdict(json, "checkpoints between processors, sparse"), "passed");
  EXPECT_GE(json.at("failed"), 4);
  EXPECT_THAT(result_.output, HasSubstr("wrong \"sums\""));
}

TEST_F(GpuCheck, TriesNothingElseWhereNoTestStarts) {
  const std::string skip = "echo 'no GPU: no NVIDIA driver is installed'; echo '[  SKIPPED ] one'";
  for (const std::string part : {"first", "measure"}) {
    const auto json = check(part, {{of("LeavesRoom"), skip}});
    EXPECT_NE(result_.exit_code, 0) << part;
    EXPECT_EQ(json.at("steps").back().at("verdict"), "skipped") << part;
    EXPECT_THAT(result_.output, HasSubstr("no GPU: no NVIDIA driver is installed")) << part;
    EXPECT_THAT(result_.output, Not(HasSubstr("passed      0 s  rows that stream"))) << part;
  }
}

TEST_F(GpuCheck, LeavesWhatItHadWhereItIsKilled) {
  const auto json = check(
      "first", {{of("SumsDense"), "kill -KILL $(awk '/^PPid:/ { print $2 }' /proc/$PPID/status)"}});
  EXPECT_NE(result_.exit_code, 0);
  EXPECT_EQ(json.at("steps").back().at("name"), "sparse rows: no bulk copies");
}

}  // namespace
}  // namespace ossau::test
