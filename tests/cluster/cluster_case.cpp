#include "cluster/cluster_case.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "support/tables.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

constexpr std::int64_t kRows = 600;
constexpr double kTrainingSeconds = 60;

std::string first_lines(const fs::path& file, std::int64_t count) {
  std::ifstream in(file);
  std::string text;
  std::string line;
  for (std::int64_t i = 0; i < count && std::getline(in, line); ++i) text += line + "\n";
  return text;
}

std::string libsvm_rows(std::int64_t rows) {
  const Table table = make_table({.rows = rows, .columns = 60, .density = 0.1});
  std::string text;
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) {
    text += std::to_string(table.label[i]);
    for (auto k = static_cast<std::size_t>(table.row_start[i]);
         k < static_cast<std::size_t>(table.row_start[i + 1]); ++k) {
      text += fmt::format(" {}:{:.6g}", table.index[k] + 1, table.value[k]);
    }
    text += "\n";
  }
  return text;
}

constexpr const char* kDense = R"(data: {train: rows.csv, validation_fraction: 0.2}
model: {l2: 1.0e-3}
optimizer: {momentum: 0.9, schedule: cosine}
training: {epochs: 3, batch_size: 64}
communication: {timeout_s: 60}
run: {threads: 1, device: cpu}
)";

constexpr const char* kSparse = R"(data: {train: rows.svm, validation_fraction: 0.2, layout: sparse}
model: {l2: 1.0e-3}
training: {epochs: 3, batch_size: 50}
communication: {timeout_s: 60}
run: {threads: 1, device: cpu}
)";

}  // namespace

Cluster::Cluster() {
  folder_.write("rows.csv",
                first_lines(source_directory() / "examples/churn/mlc_churn.csv", kRows + 1));
  folder_.write("rows.svm", libsvm_rows(kRows));
  folder_.write("dense.yaml", kDense);
  folder_.write("sparse.yaml", kSparse);
}

JobPlan Cluster::training(LaunchedBy launched_by, std::size_t ranks, const std::string& directory,
                          const std::vector<std::string>& overrides,
                          const std::string& config) const {
  JobPlan plan;
  plan.launched_by = launched_by;
  plan.ranks = ranks;
  plan.command = {OSSAU_PROGRAM, "train", config, "run.directory=" + directory};
  plan.command.insert(plan.command.end(), overrides.begin(), overrides.end());
  return plan;
}

JobPlan Cluster::faulty_training(LaunchedBy launched_by, std::size_t ranks,
                                 const std::string& fault, double timeout_s,
                                 const std::vector<std::string>& overrides) const {
  JobPlan plan = training(launched_by, ranks, "run", overrides);
  plan.command[0] = OSSAU_FAULTY_RANK;
  plan.command[1] = fault;
  plan.command.push_back(fmt::format("communication.timeout_s={:g}", timeout_s));
  return plan;
}

void Cluster::train_until_fault(const JobPlan& plan) const {
  Job job(folder(), plan);
  const JobEnd end = job.wait(kTrainingSeconds);
  ASSERT_TRUE(end.in_time);
  ASSERT_TRUE(job.fault_done());
  EXPECT_EQ(job.left_over(), "");
}

void Cluster::train(const JobPlan& plan) const {
  Job job(folder(), plan);
  const JobEnd end = job.wait(kTrainingSeconds);
  ASSERT_TRUE(end.in_time);
  std::string said = end.launcher_err;
  for (const RankEnd& rank : end.ranks) said += rank.err;
  ASSERT_EQ(end.exit_code, 0) << said;
  EXPECT_EQ(job.left_over(), "");
  for (std::size_t rank = 1; rank < end.ranks.size(); ++rank) {
    EXPECT_EQ(end.ranks[rank].out, "") << "rank " << rank;
    EXPECT_EQ(end.ranks[rank].err, "") << "rank " << rank;
  }
}

void Cluster::write_wide_rows() const {
  std::string text;
  for (int row = 0; row < 150; ++row) {
    text += std::to_string(row % 3 == 0 ? 1 : 0);
    for (int k = 1; k <= 20; ++k) {
      text += " " + std::to_string(k * 200 - row) + ":" + std::to_string(1 + row * k % 7);
    }
    text += "\n";
  }
  files().write("wide.svm", text);
}

std::string Cluster::model(const std::string& directory) const {
  return read_file(folder() / directory / "model.safetensors");
}

std::string Cluster::metrics(const std::string& directory) const {
  std::istringstream lines(read_file(folder() / directory / "metrics.jsonl"));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    auto json = nlohmann::ordered_json::parse(line);
    for (const char* const key : {"elapsed_s", "rows_per_second"}) {
      EXPECT_EQ(json.erase(key), 1U) << line;
    }
    text += json.dump() + "\n";
  }
  return text;
}

bool Cluster::has_results(const std::string& directory) const {
  return fs::exists(folder() / directory / "model.safetensors") ||
         fs::exists(folder() / directory / "summary.json");
}

std::string Cluster::name(std::size_t rank) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) throw std::runtime_error("no host name");
  return fmt::format("rank {} ({})", rank, host.data());
}

std::string Cluster::no_mpirun() {
  if (OSSAU_WITH_MPI == 0) return "this build has no MPI";
  const bool found = std::system("mpirun --version 2>&1 | grep -q 'Open MPI'") == 0;
  return found ? "" : "Open MPI's mpirun is not installed";
}

void expect_over(const Job& job, const JobEnd& end, double limit_s) {
  EXPECT_TRUE(end.in_time);
  EXPECT_LE(end.seconds, limit_s);
  EXPECT_EQ(job.left_over(), "");
}

}  // namespace ossau::test
