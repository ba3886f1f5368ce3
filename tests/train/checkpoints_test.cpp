#include "train/checkpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "core/clock.hpp"
#include "support/full_disk.hpp"
#include "train/checkpointed.hpp"

namespace ossau::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(Checkpointed, KeepsAsManyAsAskedAndGoesByTheClockToo) {
  remove_checkpoints(folder_, "");
  config_.checkpoint.every_minutes = 1e-9;
  config_.checkpoint.keep = 2;
  config_.training.epochs = 200;
  train_quietly(config_);
  const auto kept = list_checkpoints(folder_);
  EXPECT_THAT(kept, SizeIs(2));
  EXPECT_GT(kept[0].steps, 1000);
}

// Rows whose weights leave the range of floats after a few steps.
TEST(Checkpoints, OfADivergedStepAreNotWritten) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 650, .columns = 6}));
  config.optimizer.learning_rate = 1e12;
  config.training.epochs = 50;
  config = with_checkpoints(config, directory.path() / "checkpoints", 1);
  std::string message;
  try {
    train_quietly(config);
  } catch (const ConfigError& error) {
    message = error.what();
  }
  EXPECT_THAT(message, HasSubstr("training diverged at epoch"));
  // Going on from what is there fails at the same step.
  EXPECT_THROW(train_quietly(config), ConfigError);
}

// A limit on the length of files, as a stand-in for a full disk that every user can have.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : before_signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, before_signal_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  void (*before_signal_)(int);
};

TEST_F(Checkpointed, TrainingEndsWhereNoMoreCanBeWrittenAndKeepsTheOlder) {
  const std::string before = read_file(entries_[1].file);
  fs::remove(entries_[0].file);
  config_.checkpoint.every_steps = 1;
  config_.checkpoint.keep = 1;
  config_.training.epochs = 2;
  for (const std::int64_t ranks : {1, 2}) {
    config_.run.ranks = ranks;
    std::string message;
    {
      const FileLimit limit(1000);
      message = problem<DeviceError>();
    }
    EXPECT_THAT(message, AllOf(HasSubstr("checkpoint.directory: " + folder_.string() + "/step-"),
                               HasSubstr("cannot write"), HasSubstr("another directory")));
    EXPECT_EQ(read_file(entries_[1].file), before);
    EXPECT_THAT(list_checkpoints(folder_), SizeIs(3));
  }
}

TEST(Checkpoints, OnADiskThatFillsEndTheTrainingAndStay) {
  const TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << TinyDisk::reason();
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 650, .columns = 1500}));
  config = with_checkpoints(config, disk.path() / "checkpoints", 2);
  EXPECT_THROW(train_quietly(config), DeviceError);
  const std::size_t whole = list_checkpoints(disk.path() / "checkpoints").size();
  EXPECT_GE(whole, 1u);
  config.checkpoint.keep = 1;
  config.checkpoint.every_steps = 1000;
  EXPECT_GT(train_quietly(config).summary.resumed_from_step.value_or(0), 0);
}

// Wherever it happens to be, in a write more often than not.
TEST(CheckpointFolder, IsForOneRunOfATrainingAtATime) {
  const TemporaryDirectory directory;
  const std::filesystem::path folder = directory.path() / "shared" / "checkpoints";
  {
    const CheckpointFolder mine(folder, "0a1b2c3d");
    const CheckpointFolder of_another_training(folder, "ffffffff");
    try {
      const CheckpointFolder twin(folder, "0a1b2c3d");
      FAIL() << "expected a ConfigError";
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr("another run of the same training"));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(folder));  // it was not there before
  std::filesystem::create_directories(folder);
  { const CheckpointFolder again(folder, "0a1b2c3d"); }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(CheckpointFolder, ThatCannotBeIsADeviceErrorAtOnce) {
  try {
    const CheckpointFolder folder("/proc/nope", "0a1b2c3d");
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("checkpoint.directory: /proc/nope: cannot be written"));
  }
}

void await_checkpoint(const std::string& folder) {
  const Deadline deadline(30);
  while (list_checkpoints(folder).empty() && !deadline.passed()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(Checkpoints, OfAKilledTrainingServe) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "train.csv", {.rows = 650, .columns = 40}));
  config.data.layout = Layout::kDense;
  config.training.epochs = 6;
  const Outcome expected = outcome_of(config, make_backend);
  config = with_checkpoints(config, directory.path() / "checkpoints", 1);
  config.checkpoint.keep = 2;
  int resumed = 0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
      train_quietly(config);
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(1500 * (attempt % 10 + 1)));
    if (attempt == 9) await_checkpoint(*config.checkpoint.directory);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status)) remove_checkpoints(*config.checkpoint.directory, "");
    resumed += list_checkpoints(*config.checkpoint.directory).empty() ? 0 : 1;
    Config last = config;
    last.checkpoint.every_steps.reset();
    EXPECT_EQ(outcome_of(last, make_backend), expected);
  }
  EXPECT_GT(resumed, 0);
}

}  // namespace
}  // namespace ossau::test
