#include "report/metrics_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "ossau/error.hpp"
#include "report/samples.hpp"
#include "support/files.hpp"
#include "support/full_disk.hpp"

namespace ossau {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(MetricsLog, WritesOneObjectALineAndEachAtOnce) {
  const test::TemporaryDirectory directory;
  const auto file = directory.path() / "metrics.jsonl";
  MetricsLog log(file);
  log.on_start(test::sample_start());
  EXPECT_EQ(test::read_file(file), "");
  for (int epoch = 1; epoch <= 3; ++epoch) {
    log.on_epoch(test::sample_epoch(epoch));
    std::istringstream lines(test::read_file(file));
    std::string line;
    int count = 0;
    while (std::getline(lines, line)) {
      EXPECT_EQ(nlohmann::json::parse(line).at("epoch"), ++count);
    }
    EXPECT_EQ(count, epoch) << "the line is in the file before the next epoch";
  }
}

TEST(MetricsLog, OfARunThatGoesOnHoldsTheEpochsBefore) {
  const test::TemporaryDirectory directory;
  MetricsLog whole(directory.path() / "whole");
  MetricsLog resumed(directory.path() / "resumed");
  for (int epoch = 1; epoch <= 3; ++epoch) whole.on_epoch(test::sample_epoch(epoch));
  resumed.on_resume({.file = "c", .epoch = 3, .step = 1},
                    {test::sample_epoch(1), test::sample_epoch(2)});
  resumed.on_epoch(test::sample_epoch(3));
  EXPECT_EQ(test::read_file(directory.path() / "resumed"),
            test::read_file(directory.path() / "whole"));
}

TEST(MetricsLog, StartsAnew) {
  const test::TemporaryDirectory directory;
  const auto file = directory.write("metrics.jsonl", "old\n");
  const MetricsLog log(file);
  EXPECT_EQ(test::read_file(file), "");
}

TEST(MetricsLog, AMissingDirectoryIsADeviceError) {
  const test::TemporaryDirectory directory;
  EXPECT_THROW(MetricsLog(directory.path() / "absent" / "metrics.jsonl"), DeviceError);
}

TEST(MetricsLog, AFullDiskIsADeviceErrorThatNamesTheFile) {
  const test::TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << test::TinyDisk::reason();
  MetricsLog log(disk.path() / "metrics.jsonl");
  const auto fill = [&] {
    for (int epoch = 1; epoch < 10000; ++epoch) log.on_epoch(test::sample_epoch(epoch));
  };
  try {
    fill();
    FAIL() << "no error on a full disk";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("metrics.jsonl"), HasSubstr("No space left")));
  }
}

}  // namespace
}  // namespace ossau
