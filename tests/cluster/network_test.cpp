#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cluster/cluster_case.hpp"

// Three machines with a rank each, and what may befall the network between them.

namespace ossau::test {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMachines = 3;
constexpr int kCommunication = 5;
constexpr double kTimeout = 3;
constexpr double kSlack = 5;
constexpr double kNoTimeout = 60;
const char* const kTimeoutKey = "communication.timeout_s=3";

class Network : public Cluster {
 protected:
  // Rank r is on machine r.
  static std::string name(std::size_t rank) {
    return "rank " + std::to_string(rank) + " (" + Machines::host(rank) + ")";
  }

  JobPlan endless(LaunchedBy launched_by, const Machines& machines) const {
    JobPlan plan =
        training(launched_by, kMachines, "run", {kTimeoutKey, "training.epochs=1000000"});
    plan.machines = &machines;
    return plan;
  }

  void await_training() const {
    Job::await(
        [&] {
          const auto metrics = folder() / "run" / "metrics.jsonl";
          return std::filesystem::exists(metrics) && std::filesystem::file_size(metrics) > 0;
        },
        "training");
  }

  // A machine is cut off while all train: both sides of the cut leave and name each other.
  void cut_off(std::size_t machine,
               const std::function<void(const Machines&, std::size_t)>& cut) const {
    const Machines machines(kMachines);
    Job job(folder(), endless(LaunchedBy::kEnvironment, machines));
    await_training();
    job.note_fault();
    cut(machines, machine);
    const JobEnd end = job.wait(kNoTimeout);
    expect_over(job, end, kTimeout + kSlack);
    for (std::size_t rank = 0; rank < kMachines; ++rank) {
      EXPECT_EQ(end.ranks[rank].exit_code, kCommunication);
      // Ranks see each other through rank 0, so a rank that is cut off from it misses it; rank 0
      // may miss either of the others first.
      const std::string missed =
          rank == machine ? (machine == 0 ? "rank " : name(0)) : name(machine);
      EXPECT_THAT(end.ranks[rank].err, HasSubstr(missed)) << "rank " << rank;
      EXPECT_THAT(end.ranks[rank].err, HasSubstr("has been silent for")) << "rank " << rank;
    }
    EXPECT_FALSE(has_results("run"));
  }
};

TEST_F(Network, EndsTheJobWhereTheCableOfRankZerosMachineIsPulled) {
  OSSAU_SKIP_UNLESS_POSSIBLE(Machines::unavailable());
  cut_off(0, [](const Machines& machines, std::size_t i) { machines.pull_cable(i); });
}

TEST_F(Network, EndsTheJobWhereTheCableOfAnotherMachineIsPulled) {
  OSSAU_SKIP_UNLESS_POSSIBLE(Machines::unavailable());
  cut_off(1, [](const Machines& machines, std::size_t i) { machines.pull_cable(i); });
}

TEST_F(Network, EndsTheJobWhereAllPacketsAreLost) {
  OSSAU_SKIP_UNLESS_POSSIBLE(Machines::unavailable());
  cut_off(2, [](const Machines& machines, std::size_t i) { machines.drop_packets(i); });
}

class CutOffFromMpirun : public Network, public ::testing::WithParamInterface<std::size_t> {};

// The ranks do, without mpirun's help.  It and its daemons are programs of their own that wait for
// minutes before they notice a cut (oob_tcp_keepalive_time), and not always end then.
TEST_P(CutOffFromMpirun, EndsAllRanks) {
  OSSAU_SKIP_UNLESS_POSSIBLE(Machines::unavailable());
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  const Machines machines(kMachines);
  Job job(folder(), endless(LaunchedBy::kMpirun, machines));
  await_training();
  machines.pull_cable(GetParam());
  for (std::size_t rank = 0; rank < kMachines; ++rank) {
    Job::await([&] { return !job.is_alive(rank); }, "the end of " + name(rank), kTimeout + kSlack);
  }
  // Where the cable is pulled, nobody but the rank itself can have ended it.
  const std::string lonely = job.err(GetParam());
  EXPECT_THAT(lonely, HasSubstr("has been silent for"));
  EXPECT_THAT(lonely, HasSubstr("rank " + std::to_string(GetParam()) + " leaves ("));
  EXPECT_FALSE(has_results("run"));
}

INSTANTIATE_TEST_SUITE_P(Machines, CutOffFromMpirun, ::testing::Values(1, 2),
                         [](const auto& test) { return "Node" + std::to_string(test.param); });

// Steps of 32 KB over 4 Mbit/s: longer than the timeout all together, none of them alone.
TEST_F(Network, IsOnlySlowWhereALinkIsSlow) {
  OSSAU_SKIP_UNLESS_POSSIBLE(Machines::unavailable());
  write_wide_rows();
  const std::vector<std::string> wide = {"data.train=wide.svm", kTimeoutKey, "training.epochs=16"};
  train(training(LaunchedBy::kNobody, 1, "alone", wide, "sparse.yaml"));
  const Machines machines(kMachines);
  machines.slow_down(1, "4mbit");
  JobPlan plan = training(LaunchedBy::kEnvironment, kMachines, "run", wide, "sparse.yaml");
  plan.machines = &machines;
  Job job(folder(), plan);
  const JobEnd end = job.wait(kNoTimeout);
  EXPECT_EQ(end.exit_code, 0) << end.ranks[0].err << end.ranks[1].err << end.ranks[2].err;
  EXPECT_GT(end.seconds, kTimeout);
  EXPECT_EQ(job.left_over(), "");
  EXPECT_EQ(model("run"), model("alone"));
}

}  // namespace
}  // namespace ossau::test
