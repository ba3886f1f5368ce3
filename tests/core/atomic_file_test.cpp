#include "core/atomic_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "ossau/error.hpp"
#include "support/files.hpp"
#include "support/full_disk.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::ptrdiff_t entries(const fs::path& directory) {
  return std::distance(fs::directory_iterator(directory), fs::directory_iterator());
}

template <typename Action>
std::string device_error(Action action) {
  try {
    action();
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "";
}

TEST(AtomicFile, CreatesAndReplacesAndLeavesNothingAside) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "result";
  write_file_atomically(file, "first");
  EXPECT_EQ(test::read_file(file), "first");
  write_file_atomically(file, std::string("sec\0nd", 6));
  EXPECT_EQ(test::read_file(file), std::string("sec\0nd", 6));
  EXPECT_EQ(entries(directory.path()), 1);
}

TEST(AtomicFile, KeepsTheOldFileUntilTheCommit) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.write("result", "old");
  AtomicFile out(file);
  out.write("new");
  EXPECT_EQ(test::read_file(file), "old");
  out.commit();
  EXPECT_EQ(test::read_file(file), "new");
}

TEST(AtomicFile, WithoutACommitKeepsTheOldFileAndRemovesTheOneAside) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.write("result", "old");
  {
    AtomicFile out(file);
    out.write("new");
    EXPECT_EQ(entries(directory.path()), 2);
  }
  EXPECT_EQ(test::read_file(file), "old");
  EXPECT_EQ(entries(directory.path()), 1);
}

TEST(AtomicFile, IsNotStoppedByWhatAKilledWriterLeft) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "result";
  const fs::path left = directory.write("result.part0", "half");
  write_file_atomically(file, "whole");
  EXPECT_EQ(test::read_file(file), "whole");
  EXPECT_EQ(test::read_file(left), "half") << "it may belong to a writer that still lives";
}

TEST(AtomicFile, TwoWritersAtOnceDoNotMixTheirBytes) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "result";
  AtomicFile one(file);
  AtomicFile two(file);
  one.write("one");
  two.write("two");
  two.commit();
  one.commit();
  EXPECT_EQ(test::read_file(file), "one");
  EXPECT_EQ(entries(directory.path()), 1);
}

TEST(AtomicFile, KnowsItsFilesAsideByName) {
  EXPECT_TRUE(is_aside_of("result.part0", "result"));
  EXPECT_TRUE(is_aside_of("result.part12", "result"));
  EXPECT_FALSE(is_aside_of("result", "result"));
  EXPECT_FALSE(is_aside_of("result.part", "result"));
  EXPECT_FALSE(is_aside_of("result.part0.bak", "result"));
  EXPECT_FALSE(is_aside_of("other.part0", "result"));
}

TEST(AtomicFile, HonoursTheUmask) {
  const test::TemporaryDirectory directory;
  const mode_t before = ::umask(027);
  write_file_atomically(directory.path() / "result", "");
  ::umask(before);
  EXPECT_EQ(fs::status(directory.path() / "result").permissions(), fs::perms(0640));
}

TEST(AtomicFile, AMissingDirectoryIsNamedWithTheReason) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "absent" / "result";
  EXPECT_THAT(device_error([&] { write_file_atomically(file, ""); }),
              AllOf(HasSubstr(file.string()), HasSubstr("No such file or directory")));
}

TEST(AtomicFile, ADirectoryInItsPlaceIsAnErrorAndNothingStaysAside) {
  const test::TemporaryDirectory directory;
  fs::create_directory(directory.path() / "result");
  EXPECT_THAT(device_error([&] { write_file_atomically(directory.path() / "result", "content"); }),
              HasSubstr("directory"));
  EXPECT_EQ(entries(directory.path()), 1);
}

TEST(AtomicFile, AFullDiskKeepsTheOldFileAndSaysSo) {
  const test::TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << test::TinyDisk::reason();
  const fs::path file = disk.path() / "result";
  write_file_atomically(file, "old");
  EXPECT_THAT(
      device_error([&] { write_file_atomically(file, std::string(1 << 20, 'x')); }),
      AllOf(HasSubstr(file.string()), HasSubstr("No space left"), HasSubstr("free some space")));
  EXPECT_EQ(test::read_file(file), "old");
  EXPECT_EQ(entries(disk.path()), 1);
}

}  // namespace
}  // namespace ossau
