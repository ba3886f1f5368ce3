#include "report/disk_space.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "ossau/error.hpp"
#include "support/full_disk.hpp"

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string complaint(const std::filesystem::path& run, const std::filesystem::path& checkpoints,
                      std::int64_t features) {
  TrainingStart start;
  start.features = features;
  try {
    DiskSpaceCheck(run, checkpoints).on_start(start);
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "none";
}

TEST(DiskSpaceCheck, RefusesARunThatCannotBeWrittenBeforeItTrains) {
  const TinyDisk disk;  // 64 KiB
  if (!disk.mounted()) GTEST_SKIP() << TinyDisk::reason();
  const TemporaryDirectory roomy;
  // 44 bytes a feature of a model, 8 of a checkpoint; neither folder is there yet.
  EXPECT_EQ(complaint(disk.path() / "run", roomy.path(), 1000), "none");
  EXPECT_THAT(complaint(disk.path() / "run", roomy.path(), 2000),
              AllOf(HasSubstr("run.directory: " + disk.path().string()), HasSubstr("64 KiB free"),
                    HasSubstr("the model takes about 85.94 KiB"), HasSubstr("free some space")));
  EXPECT_EQ(complaint(roomy.path(), disk.path() / "a" / "b", 8000), "none");
  EXPECT_THAT(complaint(roomy.path(), disk.path() / "a" / "b", 9000),
              AllOf(HasSubstr("checkpoint.directory: " + disk.path().string()),
                    HasSubstr("a checkpoint takes about 70.31 KiB")));
}

}  // namespace
}  // namespace ossau::test
