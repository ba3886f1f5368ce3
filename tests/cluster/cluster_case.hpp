#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "cluster/job.hpp"
#include "support/files.hpp"

namespace ossau::test {

/// A folder with small data, dense.yaml and sparse.yaml, and what trains there.
class Cluster : public ::testing::Test {
 protected:
  Cluster();

  /// The shipped program.  directory: where its results go, below the folder.
  JobPlan training(LaunchedBy launched_by, std::size_t ranks, const std::string& directory,
                   const std::vector<std::string>& overrides = {},
                   const std::string& config = "dense.yaml") const;
  /// The same with a fault (see faulty_rank.cpp), into the directory "run".
  JobPlan faulty_training(LaunchedBy launched_by, std::size_t ranks, const std::string& fault,
                          double timeout_s, const std::vector<std::string>& overrides = {}) const;

  /// Trains until the plan's fault has struck and all processes have left.
  void train_until_fault(const JobPlan& plan) const;
  /// Trains to the end; fails where that does not succeed or something is left of it.
  void train(const JobPlan& plan) const;

  /// wide.svm: few rows of thousands of features.
  void write_wide_rows() const;

  std::string model(const std::string& directory) const;
  /// metrics.jsonl without what time decides.
  std::string metrics(const std::string& directory) const;
  bool has_results(const std::string& directory) const;

  /// As messages name a rank on this machine.
  static std::string name(std::size_t rank);
  /// Why mpirun cannot be used; empty: it can.
  static std::string no_mpirun();

  const std::filesystem::path& folder() const { return folder_.path(); }
  const TemporaryDirectory& files() const { return folder_; }

 private:
  const TemporaryDirectory folder_;
};

/// Expects that `end` came within the limit and left nothing alive.
void expect_over(const Job& job, const JobEnd& end, double limit_s);

#define OSSAU_SKIP_UNLESS_POSSIBLE(reason) \
  if (const std::string why = (reason); !why.empty()) GTEST_SKIP() << why

}  // namespace ossau::test
