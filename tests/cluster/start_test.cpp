#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/cluster_case.hpp"
#include "comm/process/socket.hpp"

// What goes wrong before the ranks have found each other.

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::size_t kRanks = 3;
constexpr int kConfig = 2;
constexpr int kCommunication = 5;
constexpr double kTimeout = 5;
constexpr double kSlack = 5;
constexpr double kNoTimeout = 60;
const char* const kTimeoutKey = "communication.timeout_s=5";

class Start : public Cluster {
 protected:
  JobPlan plan(const std::vector<std::string>& overrides = {}) const {
    return training(LaunchedBy::kEnvironment, kRanks, "run", overrides);
  }
  JobPlan hasty_plan() const { return plan({kTimeoutKey}); }

  static Endpoint meeting_point(const Job& job) { return {job.master_address(), Job::kMasterPort}; }

  // Until rank 0 lets connections in.
  static Socket connected(const Job& job) {
    std::optional<Socket> socket;
    Job::await(
        [&] {
          try {
            socket = connect_to(meeting_point(job), Deadline(1));
          } catch (const SocketError&) {
            return false;
          }
          return true;
        },
        "rank 0 to listen");
    return std::move(*socket);
  }

  // Connections that rank 0 has accepted, as the system lists them.
  static std::size_t connections(const Job& job) {
    std::array<char, 32> local{};
    in_addr address{};
    EXPECT_EQ(::inet_pton(AF_INET, job.master_address().c_str(), &address), 1);
    (void)std::snprintf(local.data(), local.size(), ": %08X:%04X", address.s_addr,
                        Job::kMasterPort);
    std::ifstream table("/proc/net/tcp");
    std::size_t count = 0;
    for (std::string line; std::getline(table, line);) {
      const std::size_t at = line.find(local.data());
      if (at != std::string::npos && line.find(" 01 ", at) != std::string::npos) ++count;
    }
    return count;
  }

  // Until `count` ranks have come and said who they are.
  static void await_connections(const Job& job, std::size_t count) {
    Job::await([&] { return connections(job) >= count; }, "ranks to come");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }

  void expect_all(const JobEnd& end, int code, const std::string& said) const {
    for (std::size_t rank = 0; rank < end.ranks.size(); ++rank) {
      EXPECT_EQ(end.ranks[rank].exit_code, code) << "rank " << rank;
      EXPECT_THAT(end.ranks[rank].err, HasSubstr(said)) << "rank " << rank;
    }
    EXPECT_FALSE(std::filesystem::exists(folder() / "run"));
  }
};

TEST_F(Start, NamesARankThatDoesNotCome) {
  JobPlan absent = hasty_plan();
  absent.late = {1};
  Job job(folder(), absent);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kTimeout + kSlack);
  for (const std::size_t rank : {0, 2}) {
    EXPECT_EQ(end.ranks[rank].exit_code, kCommunication);
    EXPECT_THAT(end.ranks[rank].err, AllOf(HasSubstr("rank 1 did not come within 5 s"),
                                           HasSubstr(name(2)), HasSubstr("timeout_s")));
  }
}

TEST_F(Start, NamesRankZeroWhereItDoesNotCome) {
  JobPlan absent = hasty_plan();
  absent.late = {0};
  Job job(folder(), absent);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kTimeout + kSlack);
  for (const std::size_t rank : {1, 2}) {
    EXPECT_EQ(end.ranks[rank].exit_code, kCommunication);
    EXPECT_THAT(end.ranks[rank].err, HasSubstr("did not reach rank 0 at " + job.master_address()));
  }
}

// At the very start, before they have said a word.
TEST_F(Start, NamesRanksThatAreKilledBeforeTheyCome) {
  for (std::size_t culprit = 0; culprit < kRanks; ++culprit) {
    Job job(folder(), faulty_training(LaunchedBy::kEnvironment, kRanks,
                                      std::to_string(culprit) + ":start:1:kill", kTimeout));
    const JobEnd end = job.wait(kNoTimeout);
    expect_over(job, end, kTimeout + kSlack);
    ASSERT_TRUE(job.fault_done());
    const std::string said =
        culprit == 0 ? "did not reach rank 0" : "rank " + std::to_string(culprit) + " did not come";
    for (std::size_t rank = 0; rank < kRanks; ++rank) {
      if (rank == culprit) continue;
      EXPECT_EQ(end.ranks[rank].exit_code, kCommunication);
      EXPECT_THAT(end.ranks[rank].err, HasSubstr(said));
    }
  }
}

TEST_F(Start, NamesARankThatIsKilledWhileOthersAreWaitedFor) {
  JobPlan absent = plan();
  absent.late = {1};
  Job job(folder(), absent);
  await_connections(job, 1);
  job.note_fault();
  job.signal(2, SIGKILL);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  EXPECT_EQ(end.ranks[0].exit_code, kCommunication);
  EXPECT_THAT(end.ranks[0].err, HasSubstr(name(2) + " was lost while others were waited for"));
}

TEST_F(Start, NamesRankZeroWhereItIsKilledWhileOthersAreWaitedFor) {
  JobPlan absent = plan();
  absent.late = {1};
  Job job(folder(), absent);
  await_connections(job, 1);
  job.note_fault();
  job.signal(0, SIGKILL);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  EXPECT_EQ(end.ranks[2].exit_code, kCommunication);
  EXPECT_THAT(end.ranks[2].err, HasSubstr(name(2) + " lost rank 0: the other side closed"));
}

// It has come, and then neither reaches the others nor is reached.
TEST_F(Start, NamesARankThatStallsWhileOthersAreWaitedFor) {
  JobPlan absent = hasty_plan();
  absent.late = {1};
  Job job(folder(), absent);
  await_connections(job, 1);
  job.note_fault();
  job.signal(2, SIGSTOP);
  job.start_rank(1);
  const JobEnd end = job.wait(kNoTimeout, {2});
  EXPECT_TRUE(end.in_time);
  EXPECT_LE(end.seconds, kTimeout + kSlack);
  for (const std::size_t rank : {0, 1}) {
    EXPECT_EQ(end.ranks[rank].exit_code, kCommunication);
    EXPECT_THAT(end.ranks[rank].err, HasSubstr(name(2) + " has been silent for"));
  }
  job.note_fault();
  job.signal(2, SIGCONT);
  const JobEnd late = job.wait(kNoTimeout);
  expect_over(job, late, kTimeout + kSlack);
  EXPECT_EQ(late.ranks[2].exit_code, kCommunication);
  EXPECT_FALSE(has_results("run"));
}

TEST_F(Start, RefusesRanksWithDifferentOverridesAndSaysWhich) {
  JobPlan mixed = plan({"model.l2=0.25"});
  mixed.more[1] = "model.l2=0.5";
  Job job(folder(), mixed);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  expect_all(end, kConfig, "model.l2: 0.25 on ranks 0 and 2, 0.5 on rank 1");
}

TEST_F(Start, RefusesDifferentOverridesUnderMpirunToo) {
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  JobPlan mixed = training(LaunchedBy::kMpirun, kRanks, "run", {"model.l2=0.25"});
  mixed.more[1] = "model.l2=0.5";
  Job job(folder(), mixed);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  EXPECT_EQ(end.exit_code, kConfig);
  EXPECT_THAT(end.ranks[0].err + end.ranks[1].err + end.ranks[2].err,
              HasSubstr("model.l2: 0.25 on ranks 0 and 2, 0.5 on rank 1"));
  EXPECT_FALSE(std::filesystem::exists(folder() / "run"));
}

TEST_F(Start, RefusesTwoRanksWithOneNumber) {
  JobPlan twice = plan();
  twice.environment[2]["RANK"] = "1";
  Job job(folder(), twice);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  expect_all(end, kCommunication, "two processes say that they are rank 1");
}

TEST_F(Start, RefusesRanksThatWereToldAnotherWorldSize) {
  JobPlan wrong = plan();
  wrong.environment[1]["WORLD_SIZE"] = "4";
  Job job(folder(), wrong);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  expect_all(end, kCommunication, name(1) + " says it is one of 4, but rank 0");
}

// Not only those that were there when it was found.
TEST_F(Start, TellsRanksThatComeAfterAContradiction) {
  JobPlan wrong = plan();
  wrong.environment[1]["WORLD_SIZE"] = "4";
  wrong.late = {2};
  Job job(folder(), wrong);
  Job::await([&] { return !job.err(1).empty(); }, "the contradiction");
  job.start_rank(2);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  expect_all(end, kCommunication, name(1) + " says it is one of 4, but rank 0");
}

TEST_F(Start, RefusesARankOfAnotherJob) {
  JobPlan wrong = hasty_plan();
  wrong.environment[1]["OSSAU_JOB_TOKEN"] = "of another job";
  Job job(folder(), wrong);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kTimeout + kSlack);
  for (std::size_t rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(end.ranks[rank].exit_code, kCommunication);
  }
  EXPECT_THAT(end.ranks[1].err, HasSubstr("its token differs"));
  EXPECT_THAT(end.ranks[0].err, AllOf(HasSubstr("was refused"), HasSubstr("rank 1 did not come")));
  EXPECT_THAT(end.ranks[2].err, HasSubstr("rank 1 did not come"));
}

TEST_F(Start, AsksForTheTokenThatIsNotSet) {
  JobPlan open = hasty_plan();
  for (std::size_t rank = 0; rank < kRanks; ++rank) open.environment[rank]["OSSAU_JOB_TOKEN"] = "";
  Job job(folder(), open);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  expect_all(end, kConfig, "OSSAU_JOB_TOKEN is not set");
}

TEST_F(Start, NamesAHostThatNobodyKnows) {
  JobPlan lost = hasty_plan();
  lost.environment[1]["MASTER_ADDR"] = "no-such-host.invalid";
  Job job(folder(), lost);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kTimeout + 2 * kSlack);  // the system may ask a name server that is slow
  EXPECT_EQ(end.ranks[1].exit_code, kCommunication);
  EXPECT_THAT(end.ranks[1].err, HasSubstr("\"no-such-host.invalid\" cannot be resolved"));
  EXPECT_THAT(end.ranks[0].err, HasSubstr("rank 1 did not come"));
}

TEST_F(Start, NamesAMeetingPointThatIsNotOnRankZerosMachine) {
  JobPlan elsewhere = hasty_plan();
  elsewhere.environment[0]["MASTER_ADDR"] = "192.0.2.1";  // of documentation, nobody's
  Job job(folder(), elsewhere);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kTimeout + kSlack);
  EXPECT_EQ(end.ranks[0].exit_code, kCommunication);
  EXPECT_THAT(end.ranks[0].err, AllOf(HasSubstr("cannot listen at 192.0.2.1:"),
                                      HasSubstr("MASTER_ADDR must be an address")));
  EXPECT_THAT(end.ranks[1].err, HasSubstr("did not reach rank 0"));
}

TEST_F(Start, NamesAPortThatIsInUse) {
  JobPlan late = hasty_plan();
  late.late = {0, 1, 2};
  Job job(folder(), late);
  const Listener other({job.master_address(), Job::kMasterPort});
  for (std::size_t rank = 0; rank < kRanks; ++rank) job.start_rank(rank);
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kTimeout + kSlack);
  EXPECT_EQ(end.ranks[0].exit_code, kCommunication);
  EXPECT_THAT(end.ranks[0].err,
              AllOf(HasSubstr("Address already in use"), HasSubstr("MASTER_PORT be free there")));
  EXPECT_EQ(end.ranks[1].exit_code, kCommunication);
  EXPECT_THAT(end.ranks[1].err, HasSubstr("did not reach rank 0"));
}

TEST_F(Start, IsNotDisturbedByStrangers) {
  train(training(LaunchedBy::kNobody, 1, "alone"));
  JobPlan late = plan();
  late.late = {1};
  Job job(folder(), late);
  const Deadline deadline(10);
  const Socket browser = connected(job);
  browser.send_all(std::as_bytes(std::span("GET / HTTP/1.1\r\n\r\n")), deadline);
  const std::string nonsense(1000, '\xff');
  const Socket garbled = connected(job);
  garbled.send_all(std::as_bytes(std::span(nonsense)), deadline);
  const Socket silent = connected(job);
  job.start_rank(1);
  const JobEnd end = job.wait(kNoTimeout);
  EXPECT_EQ(job.left_over(), "");
  EXPECT_EQ(end.exit_code, 0) << end.ranks[0].err;
  EXPECT_THAT(end.ranks[0].err, HasSubstr("does not speak as Ossau does"));
  EXPECT_EQ(model("run"), model("alone"));
}

// Where it was is nothing left to speak to.
TEST_F(Start, ClosesTheMeetingPointOnceAllHaveCome) {
  train(training(LaunchedBy::kNobody, 1, "alone"));
  Job job(folder(),
          faulty_training(LaunchedBy::kEnvironment, kRanks, "0:gradient sums:5:nap", kNoTimeout));
  Job::await([&] { return job.fault_done(); }, "training");
  EXPECT_THROW(connect_to(meeting_point(job), Deadline(1)), SocketError);
  const JobEnd end = job.wait(kNoTimeout);
  EXPECT_EQ(end.exit_code, 0) << end.ranks[0].err;
  EXPECT_EQ(job.left_over(), "");
  EXPECT_EQ(model("run"), model("alone"));
}

TEST_F(Start, RefusesANumberOfRanksThatContradictsTheLauncher) {
  Job job(folder(), plan({"run.ranks=4"}));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  expect_all(end, kConfig, "run.ranks: 4, but the launcher started 3");
}

TEST_F(Start, RefusesMoreRanksThanVirtualShards) {
  Job job(folder(), plan({"training.virtual_shards=2"}));
  const JobEnd end = job.wait(kNoTimeout);
  expect_over(job, end, kSlack);
  expect_all(end, kConfig, "training.virtual_shards: 3 processes share 2 virtual shards");
}

TEST_F(Start, RefusesContradictionsUnderMpirunToo) {
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  for (const auto& [key, said] :
       {std::pair<std::string, std::string>{"run.ranks=4", "run.ranks: 4, but the launcher"},
        {"training.virtual_shards=2", "training.virtual_shards: 3 processes share 2"}}) {
    Job job(folder(), training(LaunchedBy::kMpirun, kRanks, "run", {key}));
    const JobEnd end = job.wait(kNoTimeout);
    expect_over(job, end, kSlack);
    EXPECT_EQ(end.exit_code, kConfig);
    EXPECT_THAT(end.ranks[0].err + end.ranks[1].err + end.ranks[2].err, HasSubstr(said));
    EXPECT_FALSE(std::filesystem::exists(folder() / "run"));
  }
}

}  // namespace
}  // namespace ossau::test
