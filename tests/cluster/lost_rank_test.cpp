#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>
#include <tuple>
#include <utility>

#include "cluster/cluster_case.hpp"
#include "support/tables.hpp"

// One of three ranks is killed, stalls, is slow or gives up, at a chosen moment.  All others must
// leave within the timeout, say which one it was, and leave no results that look finished.

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr std::size_t kRanks = 3;
constexpr int kKilled = 128 + SIGKILL;
constexpr int kCommunication = 5;
// What a loaded machine may need beyond the timeout.
constexpr double kSlack = 5;
// So long that only a closed connection, not the timeout, can have ended the others in time.
constexpr double kNoTimeout = 60;

std::string fault(std::size_t rank, const std::string& moment, int count, const std::string& what) {
  return std::to_string(rank) + ":" + moment + ":" + std::to_string(count) + ":" + what;
}

struct Moment {
  const char* name;
  const char* moment;
  int count;
  const char* others_leave;  // in which position; with the bracket
};
std::ostream& operator<<(std::ostream& out, const Moment& moment) { return out << moment.name; }

// Eight steps make an epoch here, so the eleventh is the third of the second one; the others may be
// one step behind.
constexpr Moment kMoments[] = {
    {"Reading", "reading", 1, "leaves ("},
    {"Statistics", "column counts", 1, "leaves (preparation)"},
    {"Training", "gradient sums", 11, "leaves (training, epoch 2, step "},
    {"Validation", "confusion counts", 2, "leaves (validation, epoch 2"},
    {"Evaluation", "confusion counts", 4, "leaves (evaluation)"},
    {"TheEnd", "end", 1, "leaves (e"},  // evaluation or end
};

class Lost : public Cluster {
 protected:
  static void expect_named(const JobEnd& end, std::size_t culprit, const std::string& what) {
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
      if (rank == culprit) continue;
      EXPECT_THAT(end.ranks[rank].err, HasSubstr(name(culprit) + " " + what)) << "rank " << rank;
      EXPECT_EQ(end.ranks[rank].exit_code, kCommunication) << "rank " << rank;
    }
  }
};

class KilledRank : public Lost,
                   public ::testing::WithParamInterface<std::tuple<Moment, std::size_t>> {
 protected:
  static Moment moment() { return std::get<0>(GetParam()); }
  static std::size_t culprit() { return std::get<1>(GetParam()); }
  JobPlan plan(LaunchedBy launched_by) const {
    return faulty_training(launched_by, kRanks,
                           fault(culprit(), moment().moment, moment().count, "kill"), kNoTimeout);
  }
  // Who is lost there has all sums behind it, and rank 0 its results published.
  bool published() const { return std::string(moment().name) == "TheEnd"; }
};

TEST_P(KilledRank, IsNamedByAllOthers) {
  Job job(folder(), plan(LaunchedBy::kEnvironment));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  ASSERT_TRUE(job.fault_done());
  EXPECT_EQ(end.ranks[culprit()].exit_code, kKilled);
  expect_named(end, culprit(), "was lost");
  for (std::size_t rank = 0; rank < kRanks; ++rank) {
    if (rank == culprit()) continue;
    EXPECT_THAT(end.ranks[rank].err, HasSubstr(moment().others_leave));
  }
  EXPECT_EQ(has_results("run"), published());
}

// mpirun ends the others too, so not all of them come to say why.  Where one of them leaves before
// mpirun has noticed the first, it is the other who says it.
TEST_P(KilledRank, IsNamedUnderMpirun) {
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  Job job(folder(), plan(LaunchedBy::kMpirun));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  ASSERT_TRUE(job.fault_done());
  if (end.exit_code == kKilled) {
    EXPECT_THAT(end.launcher_err, AllOf(HasSubstr("rank " + std::to_string(culprit())),
                                        HasSubstr("exited on signal 9")));
  } else {
    EXPECT_EQ(end.exit_code, kCommunication);
    EXPECT_THAT(end.ranks[0].err + end.ranks[1].err + end.ranks[2].err,
                HasSubstr(name(culprit()) + " was lost"));
  }
  if (!published()) {
    EXPECT_FALSE(has_results("run"));
  }
}

INSTANTIATE_TEST_SUITE_P(Moments, KilledRank,
                         ::testing::Combine(::testing::ValuesIn(kMoments),
                                            ::testing::Range(std::size_t{0}, kRanks)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + std::string("Rank") +
                                  std::to_string(std::get<1>(test.param));
                         });

// A run with a summary is a finished one: rank 0 must not get so far.
TEST_F(Lost, LeavesNoFinishedRunWhereRankZeroIsKilledWhileItSaves) {
  for (const std::string file : {"model.safetensors", "summary.json"}) {
    const std::string directory = "run.directory=" + file + "-run";
    Job job(folder(),
            faulty_training(LaunchedBy::kEnvironment, kRanks, fault(0, "rename " + file, 1, "kill"),
                            kNoTimeout, {directory}));
    const JobEnd end = job.wait(kNoTimeout);
    expect_over(job, end, kSlack);
    ASSERT_TRUE(job.fault_done());
    expect_named(end, 0, "was lost");
    EXPECT_FALSE(std::filesystem::exists(folder() / (file + "-run") / file));
    EXPECT_FALSE(std::filesystem::exists(folder() / (file + "-run") / "summary.json"));
    // What is left does not stand in the way of the next run.
    train(training(LaunchedBy::kEnvironment, kRanks, file + "-run"));
  }
}

// A killed run does not stand in the way: not of the next one, nor of its bits.
TEST_F(Lost, TrainsAgainOnAnotherNumberOfRanksAfterAKillAtAnyStep) {
  constexpr int kSteps = 24;
  train(training(LaunchedBy::kNobody, 1, "alone"));
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto culprit = static_cast<std::size_t>(uniform(i, 0) * kRanks);
    const int step = 1 + static_cast<int>(uniform(i, 1) * kSteps);
    train_until_fault(faulty_training(LaunchedBy::kEnvironment, kRanks,
                                      fault(culprit, "gradient sums", step, "kill"), kNoTimeout,
                                      {"run.overwrite=true"}));
    train(training(LaunchedBy::kEnvironment, 2 + i, "run", {"run.overwrite=true"}));
    EXPECT_EQ(model("run"), model("alone")) << culprit << " " << step;
  }
}

class StalledRank : public Lost,
                    public ::testing::WithParamInterface<std::tuple<Moment, std::size_t>> {};

TEST_P(StalledRank, IsNamedByAllOthers) {
  constexpr double kTimeout = 3;
  const auto [moment, culprit] = GetParam();
  Job job(folder(), faulty_training(LaunchedBy::kEnvironment, kRanks,
                                    fault(culprit, moment.moment, moment.count, "stop"), kTimeout));
  const JobEnd end = job.wait(kNoTimeout, {culprit});
  EXPECT_TRUE(end.in_time);
  EXPECT_LE(end.seconds, kTimeout + kSlack);
  ASSERT_TRUE(job.fault_done());
  expect_named(end, culprit, "has been silent for");
  EXPECT_FALSE(has_results("run"));
  // It wakes up in a world that has gone on without it.
  job.note_fault();
  job.signal(culprit, SIGCONT);
  const JobEnd late = job.wait(kNoTimeout);
  expect_over(job, late, kTimeout + kSlack);
  EXPECT_EQ(late.ranks[culprit].exit_code, kCommunication);
  EXPECT_FALSE(has_results("run"));
}

INSTANTIATE_TEST_SUITE_P(Moments, StalledRank,
                         ::testing::Combine(::testing::Values(kMoments[0], kMoments[2]),
                                            ::testing::Range(std::size_t{0}, kRanks)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + std::string("Rank") +
                                  std::to_string(std::get<1>(test.param));
                         });

TEST_F(Lost, MpirunEndsWhereARankStalls) {
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  constexpr double kTimeout = 3;
  Job job(folder(), faulty_training(LaunchedBy::kMpirun, kRanks,
                                    fault(1, "gradient sums", 11, "stop"), kTimeout));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kTimeout + kSlack);
  ASSERT_TRUE(job.fault_done());
  EXPECT_EQ(end.exit_code, kCommunication);
  EXPECT_THAT(end.ranks[0].err + end.ranks[2].err, HasSubstr(name(1) + " has been silent for"));
  EXPECT_FALSE(has_results("run"));
}

// Before it has started MPI, whose own start waits for ever.
TEST_F(Lost, MpirunEndsWhereARankStallsOrEndsBeforeItComes) {
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  constexpr double kTimeout = 3;
  for (const std::string what : {"stop", "exit"}) {
    Job job(folder(),
            faulty_training(LaunchedBy::kMpirun, kRanks, fault(1, "start", 1, what), kTimeout));
    const JobEnd end = job.wait(kNoTimeout);
    expect_over(job, end, kTimeout + kSlack);
    ASSERT_TRUE(job.fault_done());
    EXPECT_NE(end.exit_code, 0);
    EXPECT_THAT(end.ranks[0].err + end.ranks[2].err + end.launcher_err,
                AnyOf(HasSubstr("MPI did not start within 3 s"), HasSubstr("process rank 1")));
  }
}

TEST_F(Lost, TellsASlowRankFromALostOne) {
  constexpr double kTimeout = 2;
  for (const std::size_t culprit : {0, 2}) {
    Job job(folder(), faulty_training(LaunchedBy::kEnvironment, kRanks,
                                      fault(culprit, "gradient sums", 11, "sleep"), kTimeout));
    const JobEnd end = job.wait(kNoTimeout);
    expect_over(job, end, kTimeout + kSlack);
    ASSERT_TRUE(job.fault_done());
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
      EXPECT_EQ(end.ranks[rank].exit_code, kCommunication);
      EXPECT_THAT(end.ranks[rank].err, AllOf(HasSubstr("gradient sums: rank "),
                                             HasSubstr("still missing: " + name(culprit)),
                                             HasSubstr("(alive; if it is only slow")));
    }
    EXPECT_THAT(end.ranks[culprit].err, HasSubstr("could not leave in time and ends here"));
    EXPECT_FALSE(has_results("run"));
  }
}

TEST_F(Lost, WaitsForARankThatIsOnlyALittleSlow) {
  train(training(LaunchedBy::kNobody, 1, "alone"));
  train(faulty_training(LaunchedBy::kEnvironment, kRanks, fault(1, "gradient sums", 11, "nap"), 5));
  EXPECT_EQ(model("run"), model("alone"));
}

TEST_F(Lost, NamesARankThatEndsAsIfAllWereWell) {
  Job job(folder(), faulty_training(LaunchedBy::kEnvironment, kRanks,
                                    fault(1, "gradient sums", 11, "exit"), kNoTimeout));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  ASSERT_TRUE(job.fault_done());
  expect_named(end, 1, "was lost");
  EXPECT_FALSE(has_results("run"));
}

TEST_F(Lost, EndsOnAllRanksWithTheCodeOfTheOneThatGaveUp) {
  for (const LaunchedBy launched_by : {LaunchedBy::kEnvironment, LaunchedBy::kMpirun}) {
    if (launched_by == LaunchedBy::kMpirun) OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
    for (const std::string moment : {"reading", "gradient sums"}) {
      Job job(folder(),
              faulty_training(launched_by, kRanks, fault(1, moment, 1, "data"), kNoTimeout));
      const JobEnd end = job.wait(kNoTimeout);
      expect_over(job, end, kSlack);
      ASSERT_TRUE(job.fault_done());
      EXPECT_EQ(end.exit_code, 3);
      EXPECT_THAT(end.ranks[1].err, HasSubstr("clicks.svm:3: a fault on purpose"));
      EXPECT_FALSE(has_results("run"));
      if (launched_by == LaunchedBy::kMpirun) continue;  // it may have ended the others already
      for (const std::size_t rank : {0, 2}) {
        EXPECT_EQ(end.ranks[rank].exit_code, 3);
        EXPECT_THAT(end.ranks[rank].err,
                    AllOf(HasSubstr(name(1) + " gave up"), HasSubstr("clicks.svm:3: a fault")));
      }
    }
  }
}

// As on a machine that has no copy of the file, or not the same one.
TEST_F(Lost, NamesTheRankWhoseDataIsMissingOrAnother) {
  const std::string dense = read_file(folder() / "dense.yaml");
  files().write("missing/dense.yaml", dense);
  files().write("another/dense.yaml", dense);
  files().write("another/rows.csv", read_file(folder() / "rows.csv") + "this,is,no,row\n");
  for (const auto& [directory, said] :
       {std::pair<std::string, std::string>{"missing", name(1) + " gave up (reading): rows.csv"},
        {"another", "rows.csv: rank 0 read 600 rows, rank 1 601"}}) {
    JobPlan plan = training(LaunchedBy::kEnvironment, kRanks, "run");
    plan.directories[1] = directory;
    Job job(folder(), plan);
    const JobEnd end = job.wait(kNoTimeout);
    expect_over(job, end, kSlack);
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
      EXPECT_EQ(end.ranks[rank].exit_code, 3) << end.ranks[rank].err;
      const bool told = rank == 1 && directory == "missing";  // it says so in its own words
      EXPECT_THAT(end.ranks[rank].err, HasSubstr(told ? "rows.csv" : said));
    }
    EXPECT_FALSE(has_results("run"));
  }
}

// One rank meets it, and all name the line.
TEST_F(Lost, NamesTheLineOfAMalformedRow) {
  files().write("rows.csv", read_file(folder() / "rows.csv") + "this,is,no,row\n");
  Job job(folder(), training(LaunchedBy::kEnvironment, kRanks, "run"));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  for (const RankEnd& rank : end.ranks) {
    EXPECT_EQ(rank.exit_code, 3) << rank.err;
    EXPECT_THAT(rank.err, HasSubstr("rows.csv:602"));
  }
  EXPECT_FALSE(has_results("run"));
}

}  // namespace
}  // namespace ossau::test
