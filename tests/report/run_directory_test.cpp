#include "report/run_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "ossau/error.hpp"
#include "support/files.hpp"
#include "support/full_disk.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

Config config_for(const fs::path& directory, bool overwrite = false) {
  Config config;
  config.data.train = {"train.svm"};
  config.run.directory = directory.string();
  config.run.overwrite = overwrite;
  return config;
}

template <typename Expected>
std::string problem_of(const Config& config) {
  try {
    prepare_run_directory(config);
  } catch (const Expected& error) {
    return error.what();
  }
  return "";
}

void fill(const fs::path& file) {
  std::ofstream out(file);
  while (out) out << std::string(4096, 'x') << std::flush;
}

TEST(RunDirectory, IsCreatedWithItsParentsAndTheEffectiveConfig) {
  const test::TemporaryDirectory directory;
  const RunDirectory run = prepare_run_directory(config_for(directory.path() / "a" / "b"));
  EXPECT_EQ(run.files.directory, directory.path() / "a" / "b");
  EXPECT_THAT(test::read_file(run.files.config), HasSubstr("epochs: auto"));
  EXPECT_FALSE(fs::exists(run.files.summary));
}

TEST(RunDirectory, WithAFinishedRunIsRefusedAndLeftAlone) {
  const test::TemporaryDirectory directory;
  const fs::path summary = directory.write("summary.json", "{}");
  const fs::path model = directory.write("model.safetensors", "model");
  EXPECT_THAT(problem_of<ConfigError>(config_for(directory.path())),
              AllOf(HasSubstr(directory.path().string()), HasSubstr("run.overwrite=true"),
                    HasSubstr("another run.directory")));
  EXPECT_EQ(test::read_file(summary), "{}");
  EXPECT_EQ(test::read_file(model), "model");
  EXPECT_FALSE(fs::exists(directory.path() / "config.yaml"));
}

TEST(RunDirectory, KeepsAFinishedRunUntilTheNewOneIsPublished) {
  const test::TemporaryDirectory directory;
  const std::vector<std::string> own = {"summary.json", "model.safetensors", "metrics.jsonl",
                                        "config.yaml"};
  for (const std::string& name : own) directory.write(name, "old");
  directory.write("unfinished/model.safetensors.part0", "left over");
  const RunDirectory run = prepare_run_directory(config_for(directory.path(), true));
  EXPECT_FALSE(fs::exists(directory.path() / "unfinished/model.safetensors.part0"));
  for (const std::string& name : own) {
    EXPECT_EQ(test::read_file(directory.path() / name), "old") << name;
    directory.write((run.files.directory / name).string(), "new");
  }
  publish(run);
  for (const std::string& name : own) {
    EXPECT_EQ(test::read_file(directory.path() / name), "new") << name;
  }
  EXPECT_FALSE(fs::exists(directory.path() / "unfinished"));
}

TEST(RunDirectory, IsClearedOfItsOwnFilesOnly) {
  const test::TemporaryDirectory directory;
  for (const char* name : {"model.safetensors", "metrics.jsonl", "config.yaml",
                           "model.safetensors.part0", "summary.json.part3"}) {
    directory.write(name, "old");
  }
  for (const char* name :
       {"notes.txt", "model.safetensors.bak", "sub/summary.json", "unfinished/notes.txt"}) {
    directory.write(name, "mine");
  }
  const RunDirectory run = prepare_run_directory(config_for(directory.path()));
  EXPECT_FALSE(run.aside());
  EXPECT_NE(test::read_file(run.files.config), "old");
  for (const char* name :
       {"model.safetensors", "metrics.jsonl", "model.safetensors.part0", "summary.json.part3"}) {
    EXPECT_FALSE(fs::exists(directory.path() / name)) << name;
  }
  for (const char* name :
       {"notes.txt", "model.safetensors.bak", "sub/summary.json", "unfinished/notes.txt"}) {
    EXPECT_EQ(test::read_file(directory.path() / name), "mine") << name;
  }
}

TEST(RunDirectory, IsOneRunsAtATime) {
  const test::TemporaryDirectory directory;
  {
    const RunDirectory run = prepare_run_directory(config_for(directory.path()));
    EXPECT_EQ(problem_of<ConfigError>(config_for(directory.path(), true)),
              "run.directory: " + directory.path().string() +
                  ": another run is writing here (wait for it, or choose another run.directory)");
  }
  EXPECT_EQ(problem_of<ConfigError>(config_for(directory.path())), "");
}

TEST(RunDirectory, WithAnUnfinishedRunIsTakenOver) {
  const test::TemporaryDirectory directory;
  directory.write("metrics.jsonl", "old");
  directory.write("model.safetensors", "old");
  const RunDirectory run = prepare_run_directory(config_for(directory.path()));
  EXPECT_FALSE(fs::exists(run.files.metrics));
  EXPECT_FALSE(fs::exists(run.files.model));
}

TEST(RunDirectory, KeepsCheckpointsUnlessTheyShallNeverServe) {
  const test::TemporaryDirectory directory;
  const fs::path folder = directory.path() / "checkpoints";
  const std::vector<std::string> own = {"step-000000000012-0a1b2c3d.safetensors",
                                        "step-000000000013-0a1b2c3d.safetensors.part0"};
  for (const std::string& name : own) directory.write("checkpoints/" + name, "");
  directory.write("checkpoints/notes.txt", "mine");
  Config config = config_for(directory.path());
  EXPECT_EQ(checkpoint_directory(config), folder);
  prepare_run_directory(config);
  for (const std::string& name : own) EXPECT_TRUE(fs::exists(folder / name)) << name;
  config.checkpoint.resume = "never";
  prepare_run_directory(config);
  for (const std::string& name : own) EXPECT_FALSE(fs::exists(folder / name)) << name;
  EXPECT_TRUE(fs::exists(folder / "notes.txt"));
  config.checkpoint.directory = (directory.path() / "elsewhere").string();
  EXPECT_EQ(checkpoint_directory(config), directory.path() / "elsewhere");
}

TEST(RunDirectory, ThatIsAFileIsAConfigError) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.write("file", "mine");
  EXPECT_THAT(problem_of<ConfigError>(config_for(file)), HasSubstr("is not a directory"));
  EXPECT_THAT(problem_of<DeviceError>(config_for(file / "below")), HasSubstr("cannot write"));
}

TEST(RunDirectory, ThatMayNotBeWrittenIsADeviceError) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  const test::TemporaryDirectory directory;
  fs::permissions(directory.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_THAT(problem_of<DeviceError>(config_for(directory.path())),
              AllOf(HasSubstr(directory.path().string()), HasSubstr("Permission denied")));
  EXPECT_THROW(prepare_run_directory(config_for(directory.path() / "below")), DeviceError);
  fs::permissions(directory.path(), fs::perms::owner_all);
}

TEST(RunDirectory, ThatNobodyMayWriteIsADeviceError) {
  // A place that refuses even root.
  const fs::path nowhere = "/proc/ossau-test";
  if (!fs::exists("/proc/self")) GTEST_SKIP() << "this machine has no /proc";
  EXPECT_THAT(problem_of<DeviceError>(config_for(nowhere)), HasSubstr(nowhere.string()));
}

TEST(RunDirectory, OnAReadOnlyDiskIsADeviceError) {
  const test::TinyDisk disk;
  if (!disk.mounted() || !disk.make_read_only()) GTEST_SKIP() << test::TinyDisk::reason();
  EXPECT_THAT(problem_of<DeviceError>(config_for(disk.path())), HasSubstr("Read-only"));
  EXPECT_THAT(problem_of<DeviceError>(config_for(disk.path() / "run")), HasSubstr("Read-only"));
}

TEST(RunDirectory, OnAFullDiskIsADeviceError) {
  const test::TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << test::TinyDisk::reason();
  fill(disk.path() / "filling");
  EXPECT_THAT(problem_of<DeviceError>(config_for(disk.path())),
              AllOf(HasSubstr(disk.path().string()), HasSubstr("No space left")));
  EXPECT_FALSE(fs::exists(disk.path() / "config.yaml"));
}

TEST(RunDirectory, DiscardsModelAndSummaryAndNothingElse) {
  const test::TemporaryDirectory directory;
  const RunDirectory run = prepare_run_directory(config_for(directory.path()));
  directory.write("summary.json", "");
  directory.write("model.safetensors", "");
  directory.write("metrics.jsonl", "");
  discard_results(run);
  discard_results(run);
  EXPECT_FALSE(fs::exists(run.files.summary));
  EXPECT_FALSE(fs::exists(run.files.model));
  EXPECT_TRUE(fs::exists(run.files.metrics));
}

}  // namespace
}  // namespace ossau
