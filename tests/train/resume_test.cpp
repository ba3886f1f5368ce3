#include "train/resume.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/log_capture.hpp"
#include "train/checkpoint_file.hpp"
#include "train/checkpointed.hpp"

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
        << entry.file << " on " << *config.run.ranks << " ranks";
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

// A checksum says who wrote a file, not that it makes sense.
TEST_F(Checkpointed, StateThatTheTrainingCannotHaveLeftIsADataError) {
  const Safetensors file = load_safetensors(entries_[0].file);
  const CheckpointIdentity identity{.exact = file.metadata("exact"),
                                    .config = file.metadata("config"),
                                    .data = file.metadata("data")};
  const std::vector<std::function<void(TrainingState&)>> changes = {
      [](TrainingState& state) { state.position.step = 7; },
      [](TrainingState& state) { state.position.step = 0; },
      [](TrainingState& state) { state.position.epoch = -1; },
      [](TrainingState& state) { state.position.epoch = 2; },
      [](TrainingState& state) { state.position.steps = 11; },
      [](TrainingState& state) { state.reports.clear(); },
      [](TrainingState& state) { state.model.optimizer_state.clear(); },
      [](TrainingState& state) { state.early_stopper.emplace(); },
      [](TrainingState& state) { state.solver.emplace().point = Vector(7); }};
  config_.checkpoint.resume = (directory_.path() / "changed").string();
  save_checkpoint(config_.checkpoint.resume, state_of(file, 6), identity);
  EXPECT_EQ(resumed_from(), 12);
  for (const auto& change : changes) {
    TrainingState state = state_of(file, 6);
    change(state);
    save_checkpoint(config_.checkpoint.resume, state, identity);
    EXPECT_THAT(problem<DataError>(), HasSubstr("changed: holds no state of this training"));
  }
}

}  // namespace
}  // namespace ossau::test
