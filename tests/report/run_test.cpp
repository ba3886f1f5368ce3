#include "report/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/atomic_file.hpp"
#include "core/sha256.hpp"
#include "ossau/error.hpp"
#include "report/run_directory.hpp"
#include "report/samples.hpp"
#include "support/files.hpp"
#include "support/full_disk.hpp"
#include "train/checkpoint_folder.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Config config_for(const fs::path& directory) {
  Config config;
  config.data.train = {"train.svm"};
  config.run.directory = directory.string();
  return config;
}

// A training that takes no time and always gives the same.
TrainingResult pretend_to_train(const Config&, TrainingObserver& observer) {
  observer.on_start(test::sample_start());
  observer.on_epoch(test::sample_epoch(1));
  observer.on_epoch(test::sample_epoch(2));
  TrainingResult result{test::sample_model(), test::sample_summary()};
  result.summary.model_sha256.clear();
  result.summary.run_directory.clear();
  return result;
}

class CountingObserver final : public TrainingObserver {
 public:
  void on_start(const TrainingStart&) override { ++starts; }
  void on_epoch(const EpochReport&) override { ++epochs; }
  int starts = 0;
  int epochs = 0;
};

TEST(Run, LeavesConfigMetricsModelAndSummary) {
  const test::TemporaryDirectory directory;
  const fs::path run = directory.path() / "run";
  const TrainingResult result = run_and_record(config_for(run), pretend_to_train, nullptr);
  const RunFiles files = run_files(run);

  const auto summary = nlohmann::json::parse(test::read_file(files.summary));
  EXPECT_EQ(summary.at("rows"), 2666);
  EXPECT_EQ(summary.at("model_sha256"), sha256_hex(test::read_file(files.model)));
  EXPECT_EQ(summary.at("run_directory"), run.string());
  EXPECT_EQ(summary.at("model_sha256"), result.summary.model_sha256);
  EXPECT_EQ(load_model(files.model).weights, result.model.weights);
  EXPECT_THAT(test::read_file(files.metrics), HasSubstr("\n{\"epoch\":2,"));
  EXPECT_TRUE(fs::exists(files.config));
  EXPECT_EQ(std::distance(fs::directory_iterator(run), fs::directory_iterator()), 4);
}

TEST(Run, TellsAWatcherToo) {
  const test::TemporaryDirectory directory;
  CountingObserver watcher;
  run_and_record(config_for(directory.path()), pretend_to_train, &watcher);
  EXPECT_EQ(watcher.starts, 1);
  EXPECT_EQ(watcher.epochs, 2);
}

TEST(Run, RefusesAFinishedRunBeforeItTrains) {
  const test::TemporaryDirectory directory;
  run_and_record(config_for(directory.path()), pretend_to_train, nullptr);
  const std::string before = test::read_file(run_files(directory.path()).summary);
  const TrainFunction never = [](const Config&, TrainingObserver&) -> TrainingResult {
    throw std::logic_error("must not train");
  };
  EXPECT_THROW(run_and_record(config_for(directory.path()), never, nullptr), ConfigError);
  EXPECT_EQ(test::read_file(run_files(directory.path()).summary), before);
  EXPECT_TRUE(fs::exists(run_files(directory.path()).model));
}

TEST(Run, MayBeRepeatedWithOverwriteAndGivesTheSameModel) {
  const test::TemporaryDirectory directory;
  Config config = config_for(directory.path());
  const TrainingResult first = run_and_record(config, pretend_to_train, nullptr);
  config.run.overwrite = true;
  const TrainingResult second = run_and_record(config, pretend_to_train, nullptr);
  EXPECT_EQ(first.summary.model_sha256, second.summary.model_sha256);
}

TEST(Run, HasItsDirectoryForItself) {
  const test::TemporaryDirectory directory;
  const Config config = config_for(directory.path());
  const TrainFunction disturbed = [&](const Config&, TrainingObserver& observer) {
    EXPECT_THROW(run_and_record(config, pretend_to_train, nullptr), ConfigError);
    return pretend_to_train(config, observer);
  };
  run_and_record(config, disturbed, nullptr);
  const std::string metrics = test::read_file(run_files(directory.path()).metrics);
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 2);
}

// Every file below `directory`, by its path.
std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) found[entry.path().string()] = test::read_file(entry.path());
  }
  return found;
}

TEST(Run, ThatFailsToOverwriteLeavesTheFinishedRun) {
  const test::TemporaryDirectory directory;
  Config config = config_for(directory.path());
  run_and_record(config, pretend_to_train, nullptr);
  const auto before = contents(directory.path());
  config.run.overwrite = true;
  config.training.epochs = 3;
  const TrainFunction fail = [](const Config&, TrainingObserver& observer) -> TrainingResult {
    observer.on_epoch(test::sample_epoch(1));
    throw DataError("no such data");
  };
  EXPECT_THROW(run_and_record(config, fail, nullptr), DataError);
  EXPECT_EQ(contents(directory.path()), before);
  EXPECT_FALSE(fs::exists(directory.path() / "unfinished"));
}

TEST(Run, ThatIsKilledLeavesTheFinishedRunAndNoLock) {
  const test::TemporaryDirectory directory;
  Config config = config_for(directory.path());
  run_and_record(config, pretend_to_train, nullptr);
  const std::string before = test::read_file(run_files(directory.path()).config);
  config.run.overwrite = true;
  config.training.epochs = 3;
  const pid_t child = ::fork();
  if (child == 0) {
    const TrainFunction die = [](const Config&, TrainingObserver&) -> TrainingResult {
      ::kill(::getpid(), SIGKILL);
      throw std::logic_error("still alive");
    };
    run_and_record(config, die, nullptr);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(test::read_file(run_files(directory.path()).config), before);
  EXPECT_TRUE(fs::exists(run_files(directory.path()).summary));

  const TrainingResult result = run_and_record(config, pretend_to_train, nullptr);
  EXPECT_EQ(result.summary.run_directory, directory.path().string());
  EXPECT_THAT(test::read_file(run_files(directory.path()).config), HasSubstr("epochs: 3"));
  EXPECT_EQ(contents(directory.path()).size(), 4u);
  EXPECT_FALSE(fs::exists(directory.path() / "unfinished"));
}

// Leaves a checkpoint, as a training does, and ends as it is told.
TrainFunction with_checkpoint(bool interrupted) {
  return [interrupted](const Config& config, TrainingObserver& observer) {
    TrainingResult result = pretend_to_train(config, observer);
    result.checkpoint_key = "0a1b2c3d";
    for (const char* key : {"0a1b2c3d", "ffffffff"}) {
      const fs::path file = checkpoint_path(*config.checkpoint.directory, 12, key);
      fs::create_directories(file.parent_path());
      write_file_atomically(file, "");
    }
    if (interrupted) throw Interrupted("interrupted");
    return result;
  };
}

TEST(Run, ThatIsInterruptedKeepsItsCheckpointsAndAFinishedOneDoesNot) {
  for (const bool overwrite : {false, true}) {
    const test::TemporaryDirectory directory;
    Config config = config_for(directory.path());
    if (overwrite) run_and_record(config, pretend_to_train, nullptr);
    const auto before = contents(directory.path());
    config.run.overwrite = overwrite;
    EXPECT_THROW(run_and_record(config, with_checkpoint(true), nullptr), Interrupted);
    const fs::path folder = directory.path() / "checkpoints";
    EXPECT_EQ(list_checkpoints(folder).size(), 2u);
    EXPECT_EQ(fs::exists(run_files(directory.path()).summary), overwrite);
    EXPECT_FALSE(fs::exists(directory.path() / "unfinished"));

    run_and_record(config, with_checkpoint(false), nullptr);
    ASSERT_EQ(list_checkpoints(folder).size(), 1u);
    EXPECT_EQ(list_checkpoints(folder)[0].key, "ffffffff");  // another training's
    EXPECT_TRUE(fs::exists(run_files(directory.path()).summary));
  }
}

TEST(Run, RefusesACheckpointThatIsNotThereBeforeItTouchesAnything) {
  const test::TemporaryDirectory directory;
  Config config = config_for(directory.path() / "run");
  config.checkpoint.resume = (directory.path() / "absent").string();
  EXPECT_THROW(run_and_record(config, pretend_to_train, nullptr), ConfigError);
  EXPECT_FALSE(fs::exists(directory.path() / "run"));
}

TEST(Run, ThatFailsLeavesNoModelAndNoSummaryButWhatItMeasured) {
  const test::TemporaryDirectory directory;
  const TrainFunction diverge = [](const Config&, TrainingObserver& observer) -> TrainingResult {
    observer.on_epoch(test::sample_epoch(1));
    throw ConfigError("optimizer.learning_rate: diverged");
  };
  EXPECT_THROW(run_and_record(config_for(directory.path()), diverge, nullptr), ConfigError);
  const RunFiles files = run_files(directory.path());
  EXPECT_FALSE(fs::exists(files.model));
  EXPECT_FALSE(fs::exists(files.summary));
  EXPECT_TRUE(fs::exists(files.config));
  EXPECT_THAT(test::read_file(files.metrics), HasSubstr("\"epoch\":1"));
}

TEST(Run, WhoseSummaryCannotBeWrittenLeavesNoModel) {
  const test::TemporaryDirectory directory;
  const RunFiles files = run_files(directory.path());
  const TrainFunction obstruct = [&](const Config& config, TrainingObserver& observer) {
    fs::create_directories(files.summary / "in the way");
    return pretend_to_train(config, observer);
  };
  EXPECT_THROW(run_and_record(config_for(directory.path()), obstruct, nullptr), DeviceError);
  EXPECT_FALSE(fs::exists(files.model));
}

TEST(Run, OnADiskTooSmallForItsModelIsADeviceErrorAndLeavesNone) {
  const test::TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << test::TinyDisk::reason();
  const TrainFunction train_wide = [](const Config& config, TrainingObserver& observer) {
    TrainingResult result = pretend_to_train(config, observer);
    constexpr std::size_t kWide = 100'000;
    Model& model = result.model;
    for (auto* values : {&model.weights, &model.shift, &model.scale}) values->assign(kWide, 1.0);
    model.exponent.assign(kWide, 0);
    model.schema.feature_names.assign(kWide, "f");
    return result;
  };
  EXPECT_THROW(run_and_record(config_for(disk.path()), train_wide, nullptr), DeviceError);
  EXPECT_FALSE(fs::exists(run_files(disk.path()).model));
  EXPECT_FALSE(fs::exists(run_files(disk.path()).summary));
  EXPECT_TRUE(fs::exists(run_files(disk.path()).metrics));
}

}  // namespace
}  // namespace ossau
