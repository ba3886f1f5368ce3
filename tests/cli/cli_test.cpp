#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/program.hpp"

// The program itself, as a user calls it.

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(Program, PrintsItsVersion) {
  const Result result = run("--version");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, MatchesRegex("ossau [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(Program, ExplainsItselfWithExamplesAndExitCodes) {
  const Result result = run("--help");
  EXPECT_EQ(result.exit_code, 0);
  for (const char* text : {"train", "config", "doctor", "--version", "Examples:", "Exit codes:"}) {
    EXPECT_THAT(result.out, HasSubstr(text));
  }
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(Program, ExplainsEachCommandWithExamples) {
  for (const std::string command : {"train", "config"}) {
    const Result result = run(command + " --help");
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.out, AllOf(HasSubstr("Usage: ossau " + command), HasSubstr("Examples:"),
                                  HasSubstr("OVERRIDE")));
  }
}

TEST_F(Program, ExaminesTheMachine) {
  const Result text = run("doctor");
  EXPECT_EQ(text.exit_code, 0);
  for (const char* line :
       {"Processors ", "SIMD ", "self-test passed", "Reading ", "Sparse rows ", "CUDA ", "MPI "}) {
    EXPECT_THAT(text.out, HasSubstr(line));
  }
  EXPECT_THAT(text.err, IsEmpty());
  const Result json = run("doctor --json");
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_THAT(json.out, AllOf(StartsWith("{"), HasSubstr("\"self_test\": \"passed\""),
                              HasSubstr("\"read_bytes_per_second\": ")));
}

TEST_F(Program, WithoutArgumentsShowsItsHelpAsAnError) {
  const Result result = run("");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("Examples:"));
}

struct Misuse {
  const char* arguments;
  const char* message;
};

TEST_F(Program, AnswersWrongUsageWithOneLineAndExitCode2) {
  for (const Misuse misuse : {
           Misuse{"trian a.yaml", "unknown command 'trian' (did you mean train? see ossau --help)"},
           Misuse{"frobnicate", "unknown command 'frobnicate' (see ossau --help)"},
           Misuse{"''", "unknown command '' (see ossau --help)"},
           Misuse{"--frobnicate", "unknown option '--frobnicate' (see ossau --help)"},
           Misuse{"--versoin", "(did you mean --version? see ossau --help)"},
           Misuse{"train", "FILE is required (see ossau train --help)"},
           Misuse{"train a.yaml --fast", "--fast (see ossau train --help)"},
           Misuse{"config --check", "--check"},
           Misuse{"doctor --fast", "--fast (see ossau doctor --help)"},
           Misuse{"config model.l2=1", "'model.l2=1': nothing to override (add --check FILE)"},
       }) {
    const Result result = run(misuse.arguments);
    EXPECT_EQ(result.exit_code, 2) << misuse.arguments;
    EXPECT_THAT(result.err, AllOf(StartsWith("error: "), HasSubstr(misuse.message)));
    EXPECT_EQ(count(result.err, "\n"), 1) << result.err;
    EXPECT_THAT(result.out, IsEmpty()) << misuse.arguments;
  }
}

TEST_F(Program, PrintsADefaultConfigurationThatOnlyLacksData) {
  ASSERT_EQ(run("config").exit_code, 0);
  const std::string yaml = read_file(folder_.path() / "out");
  EXPECT_THAT(yaml, HasSubstr("# REQUIRED"));
  folder_.write("d.yaml", yaml);
  const Result lacking = run("config --check d.yaml");
  EXPECT_EQ(lacking.exit_code, 2);
  EXPECT_THAT(lacking.err, MatchesRegex("error: d.yaml:[0-9]+: data.train: required .*\n"));
  EXPECT_EQ(run("config --check d.yaml data.train=a.csv").exit_code, 0);
}

TEST_F(Program, ChecksAGoodConfigurationInOneLine) {
  folder_.write("a.yaml", "data: {train: nowhere.csv}\n");
  const Result result = run("config --check a.yaml training.epochs=3");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "a.yaml: no mistakes\n");
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(Program, ListsEveryMistakeOfABadConfigurationOnce) {
  folder_.write("a.yaml", "data: {train: a.csv}\noptimizer:\n  lerning_rate: 1\n  momentum: 2\n");
  for (const std::string command : {"config --check", "train"}) {
    const Result result = run(command + " a.yaml run.ranks=65");
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, StartsWith("error: a.yaml has 3 problems:\n"));
    for (const char* line :
         {"  a.yaml:3: optimizer.lerning_rate: unknown key (did you mean learning_rate?)\n",
          "  a.yaml:4: optimizer.momentum: 2 is out of range",
          "  override 'run.ranks=65': run.ranks: 65 ranks"}) {
      EXPECT_EQ(count(result.err, line), 1) << result.err;
    }
    EXPECT_THAT(result.out, IsEmpty());
  }
}

TEST_F(Program, AnswersAMissingConfigurationWithExitCode2) {
  for (const std::string command : {"config --check", "train"}) {
    const Result result = run(command + " absent.yaml");
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr("absent.yaml: cannot read it"));
  }
}

TEST_F(Program, AnswersMissingDataWithExitCode3) {
  folder_.write("a.yaml", "data: {train: absent.csv}\n");
  const Result result = run("train a.yaml");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(count(result.err, "absent.csv"), 1) << result.err;
}

TEST_F(Program, WarnsAndGoesOn) {
  folder_.write("a.yaml", "data: {train: a.csv}\noptimizer: {decay: 2}\n");
  const Result result = run("config --check a.yaml");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err,
            "warning: a.yaml:2: optimizer.decay: ignored: optimizer.schedule is constant\n");
}

TEST_F(Program, TrainsIntoTheDirectoryNamedAfterTheConfiguration) {
  folder_.write("tiny.csv", "label,x\n0,1\n1,2\n0,1.5\n1,3\n");
  folder_.write("tiny.yaml", "data: {train: tiny.csv}\n");
  const Result result = run("train tiny.yaml training.epochs=2");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("error")));
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "runs/tiny/model.safetensors"));
}

TEST_F(Program, KeepsItsMessagesOutOfItsFilesWhereStreamsAreClosed) {
  folder_.write("tiny.csv", "label,x\n0,1\n1,2\n0,1.5\n1,3\n");
  folder_.write("tiny.yaml", "data: {train: tiny.csv}\nrun: {overwrite: true}\n");
  for (const std::string closed : {"2>&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
    EXPECT_EQ(run("train tiny.yaml training.epochs=2 " + closed).exit_code, 0) << closed;
    const std::string metrics = read_file(folder_.path() / "runs/tiny/metrics.jsonl");
    EXPECT_EQ(count(metrics, "\n"), 2) << closed << "\n" << metrics;
    EXPECT_EQ(count(metrics, "{\"epoch\":"), 2) << closed << "\n" << metrics;
  }
}

TEST_F(Program, DoesNotMindAReaderThatHasGone) {
  // The reader is gone before the program starts.
  const Result result = run("--help | true; for i in 1 2 3; do '" OSSAU_PROGRAM
                            "' config | head -c 1 >/dev/null; done");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(Program, ReportsOutputThatCannotBeWritten) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  const Result result = run("config >/dev/full");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("cannot write to standard output"));
}

}  // namespace
}  // namespace ossau::test
