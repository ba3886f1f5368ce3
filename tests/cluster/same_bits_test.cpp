#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>

#include "cluster/cluster_case.hpp"

// However many processes share the work, and however they were started: the same bits.

namespace ossau::test {
namespace {

struct Way {
  const char* name;
  LaunchedBy launched_by = LaunchedBy::kEnvironment;
  std::size_t ranks = 1;
  std::size_t machines = 0;  // 0: this one
};
std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.name; }

class SameBits : public Cluster, public ::testing::WithParamInterface<Way> {
 protected:
  static std::string impossible() {
    if (GetParam().launched_by == LaunchedBy::kMpirun && !no_mpirun().empty()) return no_mpirun();
    return GetParam().machines > 0 ? Machines::unavailable() : "";
  }

  void expect_the_bits_of_one_process(const std::string& config) const {
    train(training(LaunchedBy::kNobody, 1, "alone-" + config, {}, config));
    std::unique_ptr<Machines> machines;
    if (GetParam().machines > 0) machines = std::make_unique<Machines>(GetParam().machines);
    JobPlan plan = training(GetParam().launched_by, GetParam().ranks, "job-" + config, {}, config);
    plan.machines = machines.get();
    train(plan);
    EXPECT_EQ(model("job-" + config), model("alone-" + config));
    EXPECT_EQ(metrics("job-" + config), metrics("alone-" + config));
  }
};

TEST_P(SameBits, DenseRows) {
  OSSAU_SKIP_UNLESS_POSSIBLE(impossible());
  expect_the_bits_of_one_process("dense.yaml");
}

TEST_P(SameBits, SparseRows) {
  OSSAU_SKIP_UNLESS_POSSIBLE(impossible());
  expect_the_bits_of_one_process("sparse.yaml");
}

INSTANTIATE_TEST_SUITE_P(
    Ways, SameBits,
    ::testing::Values(Way{"Mpirun1", LaunchedBy::kMpirun, 1},
                      Way{"Mpirun2", LaunchedBy::kMpirun, 2},
                      Way{"Mpirun3", LaunchedBy::kMpirun, 3},
                      Way{"Mpirun4", LaunchedBy::kMpirun, 4},
                      Way{"Environment2", LaunchedBy::kEnvironment, 2},
                      Way{"Environment3", LaunchedBy::kEnvironment, 3},
                      Way{"Environment5", LaunchedBy::kEnvironment, 5},
                      Way{"Environment2On2Machines", LaunchedBy::kEnvironment, 2, 2},
                      Way{"Environment5On3Machines", LaunchedBy::kEnvironment, 5, 3},
                      Way{"Mpirun2On2Machines", LaunchedBy::kMpirun, 2, 2},
                      Way{"Mpirun4On3Machines", LaunchedBy::kMpirun, 4, 3}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Cluster, GivesTheBitsOfRanksThatAreThreads) {
  for (const std::string config : {"dense.yaml", "sparse.yaml"}) {
    train(training(LaunchedBy::kNobody, 1, "threads-" + config, {"run.ranks=3"}, config));
    train(training(LaunchedBy::kEnvironment, 3, "processes-" + config, {}, config));
    EXPECT_EQ(model("processes-" + config), model("threads-" + config));
    EXPECT_EQ(metrics("processes-" + config), metrics("threads-" + config));
  }
}

TEST_F(Cluster, TakesMoreProcessesThanRows) {
  files().write("few.svm", "1 1:1 2:0.5\n0 1:-1\n1 2:2\n0 1:0.25 2:-1\n1 1:3\n");
  const std::vector<std::string> few = {"data.train=few.svm", "data.validation_fraction=0"};
  train(training(LaunchedBy::kNobody, 1, "alone", few, "sparse.yaml"));
  train(training(LaunchedBy::kEnvironment, 7, "processes", few, "sparse.yaml"));
  EXPECT_EQ(model("processes"), model("alone"));
  EXPECT_EQ(metrics("processes"), metrics("alone"));
  OSSAU_SKIP_UNLESS_POSSIBLE(no_mpirun());
  train(training(LaunchedBy::kMpirun, 6, "mpi", few, "sparse.yaml"));
  EXPECT_EQ(model("mpi"), model("alone"));
}

// Wide enough that sums go by halves.
TEST_F(Cluster, GivesTheSameBitsForReferenceData) {
  const auto rows = reference_data("agaricus/agaricus.txt.train");
  const auto wide = reference_data("a9a/a9a");
  if (!rows || !wide) GTEST_SKIP() << "the reference data is not on this machine";
  for (const auto& file : {*rows, *wide}) {
    const std::string name = file.filename().string();
    const std::vector<std::string> overrides = {"data.train=" + file.string(), "training.epochs=1",
                                                "training.batch_size=1000"};
    train(training(LaunchedBy::kNobody, 1, "alone-" + name, overrides, "sparse.yaml"));
    train(training(LaunchedBy::kEnvironment, 3, "job-" + name, overrides, "sparse.yaml"));
    EXPECT_EQ(model("job-" + name), model("alone-" + name)) << name;
  }
}

// Beyond 1,024 numbers the ranks swap halves instead of everything.
TEST_F(Cluster, GivesTheSameBitsForManyFeatures) {
  write_wide_rows();
  const std::vector<std::string> wide = {"data.train=wide.svm"};
  train(training(LaunchedBy::kNobody, 1, "alone", wide, "sparse.yaml"));
  for (const std::size_t ranks : {4, 7}) {
    const std::string name = "processes" + std::to_string(ranks);
    train(training(LaunchedBy::kEnvironment, ranks, name, wide, "sparse.yaml"));
    EXPECT_EQ(model(name), model("alone")) << ranks;
  }
}

}  // namespace
}  // namespace ossau::test
