#include "train/checkpoint_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "ossau/error.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

constexpr const char* kNoCheckpoints[] = {"notes.txt",
                                          "model.safetensors",
                                          "step-12-0a1b2c3d.safetensors",
                                          "step-000000000012-0a1b2c3d.safetensors.bak",
                                          "step-000000000012-0A1B2C3D.safetensors",
                                          "step-000000000012-0a1b2c3.safetensors",
                                          "step-00000000001x-0a1b2c3d.safetensors",
                                          "step-99999999999999999999-0a1b2c3d.safetensors",
                                          "step-000000000012_0a1b2c3d.safetensors",
                                          "my-step-000000000012-0a1b2c3d.safetensors"};

TEST(CheckpointFolder, NamesCheckpointsSoThatTheySort) {
  EXPECT_EQ(checkpoint_path("a", 1234, "0a1b2c3d"), "a/step-000000001234-0a1b2c3d.safetensors");
  EXPECT_EQ(checkpoint_path("a", 1234567890123, "0a1b2c3d"),
            "a/step-1234567890123-0a1b2c3d.safetensors");
}

TEST(CheckpointFolder, ListsWhatIsNamedAsACheckpointNewestFirst) {
  const TemporaryDirectory directory;
  for (const char* name : kNoCheckpoints) directory.write(name, "");
  for (const std::int64_t steps :
       {std::int64_t{5}, std::int64_t{1234567890123}, std::int64_t{70}}) {
    directory.write(checkpoint_path("", steps, "0a1b2c3d").string(), "");
  }
  std::vector<std::int64_t> steps;
  for (const CheckpointEntry& entry : list_checkpoints(directory.path())) {
    EXPECT_EQ(entry.key, "0a1b2c3d");
    EXPECT_EQ(entry.file, checkpoint_path(directory.path(), entry.steps, entry.key));
    steps.push_back(entry.steps);
  }
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1234567890123, 70, 5}));
}

TEST(CheckpointFolder, HoldsNoneWhereItIsAbsentAndFailsWhereItIsAFile) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(list_checkpoints(directory.path() / "absent").empty());
  EXPECT_THROW(list_checkpoints(directory.write("file", "")), ConfigError);
}

TEST(CheckpointFolder, IsPrunedToTheNewestOfOneKey) {
  const TemporaryDirectory directory;
  const auto write = [&](std::int64_t steps, const char* key, const char* end = "") {
    directory.write(checkpoint_path("", steps, key).string() + end, "");
  };
  for (const std::int64_t steps : {10, 20, 30, 40}) {
    write(steps, "aaaaaaaa");
    write(steps, "bbbbbbbb");
  }
  write(20, "aaaaaaaa", ".part0");
  write(20, "bbbbbbbb", ".part0");
  write(20, "aaaaaaaa", ".partial");
  // 40 is beyond what was reached: damaged, or of a course that was given up.
  prune_checkpoints(directory.path(), "aaaaaaaa", 30, 2);
  EXPECT_EQ(
      names_in(directory.path()),
      (std::vector<std::string>{
          "step-000000000010-bbbbbbbb.safetensors", "step-000000000020-aaaaaaaa.safetensors",
          "step-000000000020-aaaaaaaa.safetensors.partial",
          "step-000000000020-bbbbbbbb.safetensors", "step-000000000020-bbbbbbbb.safetensors.part0",
          "step-000000000030-aaaaaaaa.safetensors", "step-000000000030-bbbbbbbb.safetensors",
          "step-000000000040-bbbbbbbb.safetensors"}));
}

TEST(CheckpointFolder, IsClearedOfCheckpointsOnly) {
  const TemporaryDirectory directory;
  for (const char* name : kNoCheckpoints) directory.write(name, "");
  const std::vector<std::string> others = names_in(directory.path());
  const auto fill = [&] {
    for (const char* key : {"aaaaaaaa", "bbbbbbbb"}) {
      directory.write(checkpoint_path("", 7, key).string(), "");
      directory.write(checkpoint_path("", 8, key).string() + ".part12", "");
    }
  };
  fill();
  remove_checkpoints(directory.path(), "aaaaaaaa");
  EXPECT_EQ(names_in(directory.path()).size(), others.size() + 2);
  fill();
  remove_checkpoints(directory.path(), "");
  EXPECT_EQ(names_in(directory.path()), others);
  remove_checkpoints(directory.path() / "absent", "");
}

}  // namespace
}  // namespace ossau::test
