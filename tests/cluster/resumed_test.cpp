#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cluster/cluster_case.hpp"
#include "support/full_disk.hpp"
#include "support/tables.hpp"

// Trainings that were killed, interrupted or ran out of disk go on, on another number of ranks and
// from another launcher, to the bits of one that nothing disturbed.

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kDevice = 4;
constexpr int kInterrupted = 75;
constexpr double kSlack = 10;
constexpr double kNoTimeout = 60;
constexpr std::int64_t kEverySteps = 3;
constexpr int kSteps = 24;  // of three epochs of the dense data

class Resumed : public Cluster {
 protected:
  static std::vector<std::string> with_checkpoints() {
    return {"checkpoint.every_steps=" + std::to_string(kEverySteps)};
  }
  fs::path checkpoints() const { return folder() / "run" / "checkpoints"; }

  // Goes on in "run"; says whether it was from a checkpoint.
  bool go_on(LaunchedBy launched_by, std::size_t ranks,
             const std::vector<std::string>& overrides) const {
    Job job(folder(), training(launched_by, ranks, "run", overrides));
    const JobEnd end = job.wait(kNoTimeout);
    EXPECT_TRUE(end.in_time);
    EXPECT_EQ(end.exit_code, 0) << end.ranks[0].err << end.launcher_err;
    EXPECT_EQ(job.left_over(), "");
    EXPECT_EQ(model("run"), model("alone"));
    EXPECT_EQ(metrics("run"), metrics("alone"));
    EXPECT_FALSE(fs::exists(checkpoints()));
    return end.ranks[0].err.find("resumed from") != std::string::npos;
  }
};

TEST_F(Resumed, AfterAKillAtAnyStep) {
  const std::vector<std::string> overrides = with_checkpoints();
  train(training(LaunchedBy::kNobody, 1, "alone", overrides));
  for (std::uint64_t i = 0; i < 6; ++i) {
    const std::size_t ranks = 2 + i % 3;
    const auto culprit = static_cast<std::size_t>(uniform(i, 7) * static_cast<double>(ranks));
    const int step = 1 + static_cast<int>(uniform(i, 8) * kSteps);
    train_until_fault(faulty_training(
        LaunchedBy::kEnvironment, ranks,
        std::to_string(culprit) + ":gradient sums:" + std::to_string(step) + ":kill", kNoTimeout,
        overrides));
    EXPECT_FALSE(has_results("run"));
    const bool more = i % 2 == 0;
    const bool resumed = go_on(more ? LaunchedBy::kEnvironment : LaunchedBy::kNobody,
                               more ? 2 + (i + 1) % 4 : 1, overrides);
    // The last checkpoint may just not have got its name.
    if (step > 2 * kEverySteps + 1) {
      EXPECT_TRUE(resumed) << "step " << step;
    }
    fs::remove_all(folder() / "run");
  }
}

TEST_F(Resumed, UnderMpirunAfterAKill) {
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  const std::vector<std::string> overrides = with_checkpoints();
  train(training(LaunchedBy::kNobody, 1, "alone", overrides));
  for (const std::size_t culprit : {0, 1}) {
    train_until_fault(faulty_training(LaunchedBy::kMpirun, 2,
                                      std::to_string(culprit) + ":gradient sums:17:kill",
                                      kNoTimeout, overrides));
    EXPECT_TRUE(go_on(LaunchedBy::kMpirun, 3, overrides));
    fs::remove_all(folder() / "run");
  }
}

// The one before it is whole and serves.
TEST_F(Resumed, AfterAKillWhileACheckpointIsWritten) {
  const std::vector<std::string> overrides = with_checkpoints();
  train(training(LaunchedBy::kNobody, 1, "alone", overrides));
  train_until_fault(faulty_training(LaunchedBy::kEnvironment, 3, "0:rename a checkpoint:3:kill",
                                    kNoTimeout, overrides));
  EXPECT_TRUE(go_on(LaunchedBy::kEnvironment, 2, overrides));
}

// A signal to one rank, as where one machine of several is to go, or to all.
TEST_F(Resumed, AfterASignalToOneRankOrToAll) {
  const std::vector<std::string> overrides = {"training.epochs=3000",
                                              "training.evaluate_every=1000"};
  train(training(LaunchedBy::kNobody, 1, "alone", overrides));
  for (const std::size_t told : {0, 2, 3}) {
    Job job(folder(), training(LaunchedBy::kEnvironment, 3, "run", overrides));
    Job::await(
        [&] {
          return fs::exists(folder() / "run" / "metrics.jsonl") &&
                 !read_file(folder() / "run" / "metrics.jsonl").empty();
        },
        "the first epoch");
    for (std::size_t rank = 0; rank < 3; ++rank) {
      if (rank == told || told == 3) job.signal(rank, rank == 1 ? SIGINT : SIGTERM);
    }
    const JobEnd end = job.wait(kNoTimeout);
    EXPECT_TRUE(end.in_time);
    EXPECT_EQ(job.left_over(), "");
    for (const RankEnd& rank : end.ranks) {
      EXPECT_EQ(rank.exit_code, kInterrupted) << rank.err;
      EXPECT_THAT(rank.err, AllOf(HasSubstr("interrupted after epoch"),
                                  HasSubstr("run the same command again to go on")));
    }
    EXPECT_FALSE(has_results("run"));
    EXPECT_TRUE(go_on(LaunchedBy::kEnvironment, 2, overrides));
    fs::remove_all(folder() / "run");
  }
}

// As where a scheduler suspends a job: nobody was silent but all of them.
TEST_F(Resumed, WithoutLossWhereTheWholeJobWasPausedForLongerThanTheTimeout) {
  const std::vector<std::string> overrides = {
      "training.epochs=3000", "training.evaluate_every=1000", "communication.timeout_s=4"};
  train(training(LaunchedBy::kNobody, 1, "alone", overrides));
  Job job(folder(), training(LaunchedBy::kEnvironment, 3, "run", overrides));
  Job::await(
      [&] {
        return fs::exists(folder() / "run" / "metrics.jsonl") &&
               !read_file(folder() / "run" / "metrics.jsonl").empty();
      },
      "the first epoch");
  for (std::size_t rank = 0; rank < 3; ++rank) job.signal(rank, SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(6));
  EXPECT_FALSE(has_results("run"));
  for (std::size_t rank = 0; rank < 3; ++rank) job.signal(rank, SIGCONT);
  const JobEnd end = job.wait(kNoTimeout);
  EXPECT_TRUE(end.in_time);
  EXPECT_EQ(end.exit_code, 0) << end.ranks[0].err;
  EXPECT_EQ(job.left_over(), "");
  EXPECT_EQ(model("run"), model("alone"));
}

TEST_F(Resumed, AfterTheDiskWasFullAtACheckpoint) {
  const TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << TinyDisk::reason();
  std::vector<std::string> overrides = {"checkpoint.every_steps=1",
                                        "checkpoint.directory=" + disk.path().string(),
                                        "checkpoint.keep=1000"};  // more than there is room for
  train(training(LaunchedBy::kNobody, 1, "alone"));
  Job job(folder(), training(LaunchedBy::kEnvironment, 3, "run", overrides));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  for (const RankEnd& rank : end.ranks) {
    EXPECT_EQ(rank.exit_code, kDevice);
    EXPECT_THAT(rank.err, AllOf(HasSubstr("checkpoint.directory: " + disk.path().string()),
                                HasSubstr("No space left on device")));
  }
  EXPECT_FALSE(has_results("run"));
  std::vector<fs::path> kept(fs::directory_iterator(disk.path()), {});
  ASSERT_GT(kept.size(), 1U);  // those from before
  std::sort(kept.begin(), kept.end());
  fs::remove(kept.front());                           // somebody frees some space
  overrides.front() = "checkpoint.every_steps=1000";  // no more are to be written
  EXPECT_TRUE(go_on(LaunchedBy::kEnvironment, 2, overrides));
}

}  // namespace
}  // namespace ossau::test
