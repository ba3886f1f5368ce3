#include "train/resume.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "support/full_disk.hpp"
#include "support/log_capture.hpp"
#include "train/resume_contract.hpp"

namespace ossau::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class Resume : public ::testing::TestWithParam<MethodSample> {};

TEST_P(Resume, AfterAnyStepOnAnyNumberOfRanksGivesTheSameModelAndMetrics) {
  const TemporaryDirectory directory;
  Config config = config_of(GetParam(), directory);
  const Outcome expected = outcome_of(config, make_backend);
  const fs::path folder = directory.path() / "checkpoints";
  config.run.ranks = 2;
  EXPECT_EQ(outcome_of(with_checkpoints(config, folder, 1), make_backend), expected);
  ASSERT_FALSE(list_checkpoints(folder).empty());
  for (const CheckpointEntry& entry : some_checkpoints(folder, 20)) {
    config.run.ranks = 1 + entry.steps % 3;
    config.run.threads = 1 + entry.steps / 2 % 2;
    EXPECT_EQ(outcome_from(config, entry.file, make_backend), expected)
        << entry.file << " on " << config.run.ranks << " ranks";
  }
}

// Interrupted again and again, on one rank or another.
TEST_P(Resume, AfterEveryInterruptionGivesTheSameModelAndMetrics) {
  const TemporaryDirectory directory;
  Config config = config_of(GetParam(), directory);
  const Outcome expected = outcome_of(config, make_backend);
  config = with_checkpoints(config, directory.path() / "checkpoints", 1'000'000);
  config.checkpoint.keep = 1;
  int interruptions = 0;
  for (const std::int64_t at : {std::int64_t{1}, std::int64_t{3}}) {
    remove_checkpoints(*config.checkpoint.directory, "");
    const bool single_rows = config.training.batch_size == 1;
    const Interruptions found = outcome_with_interruptions(
        config, make_backend, single_rows ? 40 * at : at, [](Config& each, int attempt) {
          each.run.ranks = 1 + attempt % 3;
          each.run.threads = 1 + attempt % 2;
        });
    EXPECT_EQ(found.outcome, expected);
    EXPECT_THAT(list_checkpoints(*config.checkpoint.directory), SizeIs(found.count > 0 ? 1 : 0));
    interruptions += found.count;
  }
  EXPECT_GE(interruptions, 3);
}

INSTANTIATE_TEST_SUITE_P(Methods, Resume, ::testing::ValuesIn(method_samples()),
                         [](const auto& each) { return each.param.name; });

/// A short training with checkpoints after steps 3, 6, 9 and 12 in a folder, and what it leaves.
class Checkpointed : public ::testing::Test {
 protected:
  Checkpointed() {
    config_ = small_config(write_csv(directory_, "train.csv", {.rows = 650, .columns = 6}));
    config_.optimizer.momentum = 0.9;
    config_.data.validation_fraction = 0.1;
    expected_ = outcome_of(config_, make_backend);
    config_ = with_checkpoints(config_, folder_, 3);
    outcome_of(config_, make_backend);
    entries_ = list_checkpoints(folder_);
    config_.checkpoint.every_steps.reset();
  }

  // Where the training went on, 0: at the beginning.
  std::int64_t resumed_from() const {
    RecordingObserver observer;
    const Summary summary = run_training(config_, observer).summary;
    EXPECT_EQ(observer.resumes.size(), summary.resumed_from_step ? 1u : 0u);
    return summary.resumed_from_step.value_or(0);
  }

  template <class Expected>
  std::string problem() const {
    try {
      train_quietly(config_);
    } catch (const Expected& error) {
      return error.what();
    }
    return "no error of the expected kind";
  }

  static void cut(const fs::path& file, std::uintmax_t bytes) { fs::resize_file(file, bytes); }
  static void flip(const fs::path& file) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekg(-20, std::ios::end);
    const int byte = out.get();
    out.seekp(-20, std::ios::end);
    out.put(static_cast<char>(byte ^ 1));
  }

  const TemporaryDirectory directory_;
  const fs::path folder_ = directory_.path() / "checkpoints";
  Config config_;
  Outcome expected_;
  std::vector<CheckpointEntry> entries_;  // newest first
};

TEST_F(Checkpointed, TrainingGoesOnFromTheNewestAndSaysSo) {
  ASSERT_THAT(entries_, SizeIs(4));
  RecordingObserver observer;
  const Summary summary = run_training(config_, observer).summary;
  EXPECT_EQ(summary.resumed_from_step, 12);
  ASSERT_THAT(observer.resumes, SizeIs(1));
  EXPECT_EQ(observer.resumes[0].file, entries_[0].file.string());
  EXPECT_EQ(observer.resumes[0].epoch, 2);
  EXPECT_EQ(observer.resumes[0].step, 6);
  EXPECT_EQ(outcome_of(config_, make_backend), expected_);
}

TEST_F(Checkpointed, TrainingCountsTheTimeBeforeTheInterruptionToo) {
  const TrainingResult result = train_quietly(config_);
  const Speed& speed = result.summary.speed;
  EXPECT_EQ(speed.passes, 2);
  EXPECT_EQ(speed.ceiling_share, speed.floor_s / result.summary.time.train_s);
  RecordingObserver observer;
  run_training(config_, observer);
  EXPECT_GT(observer.epochs[1].elapsed_s, observer.epochs[0].elapsed_s);
}

TEST_F(Checkpointed, TrainingFallsBackFromDamagedOnesAndNamesThem) {
  cut(entries_[0].file, 0);
  cut(entries_[1].file, fs::file_size(entries_[1].file) - 1);
  flip(entries_[2].file);
  const LogCapture log;
  config_.run.ranks = 2;
  EXPECT_EQ(resumed_from(), 3);
  EXPECT_THAT(log.warnings(),
              ElementsAre(AllOf(HasSubstr("checkpoint not used: " + entries_[0].file.string()),
                                HasSubstr("only 0 bytes")),
                          AllOf(HasSubstr(entries_[1].file.string()), HasSubstr("do not lie in")),
                          AllOf(HasSubstr(entries_[2].file.string()), HasSubstr("checksum"))));
  EXPECT_EQ(outcome_of(config_, make_backend), expected_);
}

TEST_F(Checkpointed, TrainingWithoutAWholeOneStartsFromTheBeginning) {
  for (const CheckpointEntry& entry : entries_) cut(entry.file, 100);
  const LogCapture log;
  EXPECT_EQ(resumed_from(), 0);
  EXPECT_THAT(log.warnings(), SizeIs(4));
  EXPECT_THAT(log.infos(), Contains("training starts from the beginning"));
  EXPECT_EQ(outcome_of(config_, make_backend), expected_);
}

TEST_F(Checkpointed, DamagedFileThatWasNamedIsADataError) {
  config_.checkpoint.resume = entries_[1].file.string();
  flip(entries_[1].file);
  for (const std::int64_t ranks : {1, 3}) {
    config_.run.ranks = ranks;
    EXPECT_THAT(problem<DataError>(),
                AllOf(HasSubstr(entries_[1].file.string()), HasSubstr("checksum")));
  }
}

TEST_F(Checkpointed, TrainingOfAnotherConfigurationStartsFromTheBeginningAndSaysWhatDiffers) {
  config_.model.l2 = 0.25;
  config_.training.seed = 7;
  const LogCapture log;
  EXPECT_EQ(resumed_from(), 0);
  EXPECT_THAT(log.warnings(), ElementsAre(AllOf(HasSubstr(entries_[0].file.string()),
                                                HasSubstr("model.l2 was 0 and is 0.25 now"),
                                                HasSubstr("checkpoint.resume=never"))));
}

TEST_F(Checkpointed, AnotherConfigurationIsAnErrorWhereTheFileWasNamed) {
  config_.training.early_stopping = EarlyStopping{};
  config_.run.ranks = 2;
  for (const fs::path& path : {entries_[2].file, folder_}) {
    config_.checkpoint.resume = path.string();
    EXPECT_THAT(problem<ConfigError>(),
                AllOf(HasSubstr("checkpoints/step-"), HasSubstr("training.early_stopping")));
  }
}

// The same columns, ranges and counts: only two labels have changed places.
TEST_F(Checkpointed, TrainingOfOtherDataStartsFromTheBeginningAndSaysSo) {
  std::string text = read_file(directory_.path() / "train.csv");
  const std::size_t zero = text.find("\n0,");
  const std::size_t one = text.find("\n1,");
  std::swap(text[zero + 1], text[one + 1]);
  directory_.write("train.csv", text);
  const LogCapture log;
  EXPECT_EQ(resumed_from(), 0);
  EXPECT_THAT(log.warnings(), ElementsAre(AllOf(HasSubstr(entries_[0].file.string()),
                                                HasSubstr("the data has changed"))));
  config_.checkpoint.resume = entries_[0].file.string();
  EXPECT_THAT(problem<DataError>(), HasSubstr("the data has changed"));
}

TEST_F(Checkpointed, TrainingLeavesThoseOfOthersAlone) {
  config_.model.l2 = 0.25;
  config_.checkpoint.every_steps = 5;
  config_.checkpoint.keep = 1;
  const LogCapture log;
  EXPECT_EQ(resumed_from(), 0);
  EXPECT_THAT(list_checkpoints(folder_), SizeIs(5));
  EXPECT_EQ(resumed_from(), 10);
  config_.model.l2 = 0;
  EXPECT_EQ(resumed_from(), 12);
}

TEST_F(Checkpointed, FolderMayBeNamedAndAnotherPlaceMayFollow) {
  config_.checkpoint.resume = folder_.string();
  config_.checkpoint.directory = (directory_.path() / "elsewhere").string();
  EXPECT_EQ(resumed_from(), 12);
  EXPECT_EQ(outcome_of(config_, make_backend), expected_);
}

TEST_F(Checkpointed, TrainingThatShallNeverResumeDoesNot) {
  config_.checkpoint.resume = "never";
  EXPECT_EQ(resumed_from(), 0);
}

TEST_F(Checkpointed, PathsThatHoldNoneAreConfigErrors) {
  config_.checkpoint.resume = (directory_.path() / "absent").string();
  EXPECT_THAT(problem<ConfigError>(), AllOf(HasSubstr("checkpoint.resume: "), HasSubstr("absent"),
                                            HasSubstr("auto or never")));
  fs::create_directory(directory_.path() / "empty");
  config_.checkpoint.resume = (directory_.path() / "empty").string();
  config_.run.ranks = 2;
  EXPECT_THAT(problem<ConfigError>(), HasSubstr("holds no checkpoint"));
  config_.checkpoint.resume = (directory_.path() / "train.csv").string();
  EXPECT_THAT(problem<DataError>(), HasSubstr("train.csv"));
}

TEST_F(Checkpointed, ModelIsNoCheckpoint) {
  const fs::path model = directory_.path() / "model.safetensors";
  save_model(train_quietly(config_).model, model);
  config_.checkpoint.resume = model.string();
  EXPECT_THAT(problem<DataError>(), HasSubstr("not a checkpoint that Ossau wrote"));
}

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
