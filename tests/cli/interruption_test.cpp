#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cli/program.hpp"
#include "core/sha256.hpp"

// The program under signals, as a user or a scheduler sends them.

namespace ossau::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Too many to be over before a signal comes; a sanitizer takes fifty times as long for each.
#if defined(__SANITIZE_ADDRESS__)
constexpr int kEpochs = 1000;
#else
constexpr int kEpochs = 15000;
#endif

class Interrupted : public Program {
 protected:
  // A training of a second or so.
  Interrupted() {
    std::string rows = "label,x,z\n";
    for (int i = 0; i < 2000; ++i) {
      rows += fmt::format("{},{},{}\n", (i * 7 + i / 3) % 5 < 2, i % 13, (i * i) % 29);
    }
    folder_.write("a.csv", rows);
    folder_.write("a.yaml", fmt::format(R"(
data: {{train: a.csv, validation_fraction: 0.1}}
optimizer: {{momentum: 0.9}}
training: {{batch_size: 10, epochs: {}, evaluate_every: 10}}
run: {{device: cpu, threads: 1}}
)",
                                        kEpochs));
  }

  fs::path file(const std::string& name) const { return folder_.path() / name; }

  // Starts `ossau train a.yaml OVERRIDES` and returns once the first epoch is in its metrics.
  pid_t start(const std::vector<std::string>& overrides, const std::string& metrics) const {
    fs::remove(file(metrics));
    std::vector<const char*> arguments = {OSSAU_PROGRAM, "train", "a.yaml"};
    for (const std::string& each : overrides) arguments.push_back(each.c_str());
    arguments.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const int err = ::open(file("err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
      ::dup2(err, STDERR_FILENO);
      ::dup2(err, STDOUT_FILENO);
      if (::chdir(folder_.path().c_str()) == 0) {
        ::execv(OSSAU_PROGRAM, const_cast<char* const*>(arguments.data()));
      }
      ::_exit(99);
    }
    while (read_file_if_there(file(metrics)).empty() && ::waitpid(child, nullptr, WNOHANG) == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return child;
  }

  static std::string read_file_if_there(const fs::path& path) {
    return fs::exists(path) ? read_file(path) : "";
  }

  static int status_of(pid_t child) {
    int status = -1;
    return ::waitpid(child, &status, 0) == child ? status : -1;
  }

  std::string model_hash(const std::string& folder) const {
    return sha256_hex(read_file(file(folder + "/model.safetensors")));
  }

  // metrics.jsonl without what depends on time.
  std::string metrics(const std::string& folder) const {
    std::string kept;
    std::string all = read_file(file(folder + "/metrics.jsonl"));
    for (std::size_t begin = 0; begin < all.size();) {
      const std::size_t end = all.find('\n', begin);
      kept += all.substr(begin, all.find(",\"elapsed_s\"", begin) - begin) + "\n";
      begin = end + 1;
    }
    return kept;
  }
};

TEST_F(Interrupted, ByASignalGoesOnByTheSameCommandToTheSameModel) {
  ASSERT_EQ(run("train a.yaml run.directory=whole").exit_code, 0);
  for (const int signal : {SIGTERM, SIGINT}) {
    const pid_t child =
        start({fmt::format("run.ranks={}", signal == SIGINT ? 2 : 1)}, "runs/a/metrics.jsonl");
    ASSERT_EQ(::kill(child, signal), 0);
    const int status = status_of(child);
    ASSERT_TRUE(WIFEXITED(status));
    const std::string said = read_file(file("err"));
    EXPECT_EQ(WEXITSTATUS(status), 75) << said;
    EXPECT_THAT(said, AllOf(HasSubstr("warning: interrupted after epoch "),
                            HasSubstr("; checkpoint: runs/a/checkpoints/step-"),
                            HasSubstr("(run the same command again to go on)\n")));
    EXPECT_FALSE(fs::exists(file("runs/a/model.safetensors")));
    EXPECT_FALSE(fs::exists(file("runs/a/summary.json")));
  }
  const Result last = run("train a.yaml");
  EXPECT_EQ(last.exit_code, 0) << last.err;
  EXPECT_THAT(last.err, HasSubstr("resumed from runs/a/checkpoints/step-"));
  EXPECT_EQ(model_hash("runs/a"), model_hash("whole"));
  EXPECT_EQ(metrics("runs/a"), metrics("whole"));
  EXPECT_EQ(count(metrics("whole"), "\n"), kEpochs);
  EXPECT_THAT(read_file(file("runs/a/summary.json")), HasSubstr("\"resumed_from_step\": "));
  EXPECT_FALSE(fs::exists(file("runs/a/checkpoints")));
}

TEST_F(Interrupted, WhileItReplacesAFinishedRunGoesOnToo) {
  ASSERT_EQ(run("train a.yaml training.epochs=2").exit_code, 0);
  const std::string before = model_hash("runs/a");
  const pid_t child = start({"run.overwrite=true"}, "runs/a/unfinished/metrics.jsonl");
  ASSERT_EQ(::kill(child, SIGTERM), 0);
  const int status = status_of(child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 75) << read_file(file("err"));
  EXPECT_EQ(model_hash("runs/a"), before);
  const Result last = run("train a.yaml run.overwrite=true");
  EXPECT_EQ(last.exit_code, 0);
  EXPECT_THAT(last.err, HasSubstr("resumed from "));
  EXPECT_NE(model_hash("runs/a"), before);
  EXPECT_FALSE(fs::exists(file("runs/a/checkpoints")));
}

// Both signals are waiting when the program wakes, so that no step can come between them.
TEST_F(Interrupted, TwiceEndsAtOnce) {
  const pid_t child = start({}, "runs/a/metrics.jsonl");
  ASSERT_EQ(::kill(child, SIGSTOP), 0);
  ASSERT_EQ(::kill(child, SIGINT), 0);
  ASSERT_EQ(::kill(child, SIGTERM), 0);
  ASSERT_EQ(::kill(child, SIGCONT), 0);
  EXPECT_TRUE(WIFSIGNALED(status_of(child))) << read_file(file("err"));
}

}  // namespace
}  // namespace ossau::test
