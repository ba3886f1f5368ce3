#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "house/project.hpp"
#include "support/files.hpp"

// The recipes themselves at work, with a stand-in for Slurm: two tasks of this machine.

namespace ossau::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

// Runs what follows its options: by mpirun where it was asked for an MPI, else task by task.
// SRUN_CODE is a code to end with instead.
constexpr const char* kSrun = R"(#!/usr/bin/env bash
set -euo pipefail
[[ -z ${SRUN_CODE-} ]] || exit "$SRUN_CODE"
mpi=none
while [[ $1 == --* ]]; do
  [[ $1 != --mpi=* ]] || mpi=${1#--mpi=}
  shift
done
if [[ $mpi == pmix ]]; then exec mpirun --oversubscribe -np 2 "$@"; fi
export SLURM_NTASKS=2
SLURM_PROCID=1 SLURM_LOCALID=1 "$@" &
SLURM_PROCID=0 SLURM_LOCALID=0 "$@"
wait "$!"
)";
constexpr const char* kScontrol = R"(#!/usr/bin/env bash
case $1 in
  show) printf '127.0.0.1\nnode2\n' ;;
  *) echo "scontrol $*" ;;
esac
)";

class RecipeRun : public ::testing::Test {
 protected:
  RecipeRun() {
    for (const char* name : {"configs", "examples", "recipes"}) {
      fs::create_directory_symlink(source_directory() / name, folder_.path() / name);
    }
    fs::create_directory(folder_.path() / "bin");
    for (const auto& [name, text] : {std::pair{"bin/srun", kSrun}, {"bin/scontrol", kScontrol}}) {
      fs::permissions(folder_.write(name, text), fs::perms::owner_all);
    }
  }

  // In a folder that looks like the project's, with that Slurm in the path.
  CommandResult run(const std::string& command) const {
    return run_command("cd '" + folder_.path().string() +
                       "' && export PATH=\"$PWD/bin:$PATH\" OSSAU='" OSSAU_PROGRAM
                       "' SLURM_CPUS_PER_TASK=1 SLURM_JOB_ID=4711 SLURM_JOB_NODELIST='node[1-2]' "
                       "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 && " +
                       command);
  }

  std::string model(const std::string& run) const {
    const fs::path file = folder_.path() / "runs" / run / "model.safetensors";
    return fs::exists(file) ? read_file(file) : "no model in runs/" + run;
  }

  // The model of one process alone.
  std::string expected_model() const {
    const CommandResult alone = run("\"$OSSAU\" train configs/cluster.yaml run.directory=runs/one");
    EXPECT_EQ(alone.exit_code, 0) << alone.output;
    return model("one");
  }

  const TemporaryDirectory folder_;
};

TEST_F(RecipeRun, SlurmWithoutMpiGivesTheModelOfOneProcess) {
  const CommandResult result = run("bash recipes/slurm-environment.sbatch");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("2 ranks"));
  EXPECT_THAT(result.output, Not(HasSubstr("requeue")));
  EXPECT_EQ(model("slurm"), expected_model());
}

TEST_F(RecipeRun, SlurmWithMpiGivesTheModelOfOneProcess) {
  if (!OSSAU_WITH_MPI || !has_program("mpirun")) GTEST_SKIP() << "this build has no MPI";
  const CommandResult result = run("bash recipes/slurm.sbatch");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("2 ranks"));
  EXPECT_EQ(model("slurm"), expected_model());
}

TEST_F(RecipeRun, HostfileGivesTheModelOfOneProcess) {
  if (!OSSAU_WITH_MPI || !has_program("mpirun")) GTEST_SKIP() << "this build has no MPI";
  const CommandResult result =
      run("mpirun --hostfile recipes/hostfile \"$OSSAU\" train configs/cluster.yaml "
          "run.directory=runs/mpi");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("2 ranks"));
  EXPECT_EQ(model("mpi"), expected_model());
}

TEST_F(RecipeRun, SlurmTriesAgainOnlyWhereThereIsACheckpoint) {
  for (const std::string file : {"recipes/slurm.sbatch", "recipes/slurm-environment.sbatch"}) {
    const CommandResult interrupted = run("SRUN_CODE=75 bash " + file);
    EXPECT_EQ(interrupted.exit_code, 75) << file << interrupted.output;
    EXPECT_THAT(interrupted.output, HasSubstr("scontrol requeue 4711")) << file;
    const CommandResult failed = run("SRUN_CODE=5 bash " + file);
    EXPECT_EQ(failed.exit_code, 5) << file << failed.output;
    EXPECT_THAT(failed.output, Not(HasSubstr("requeue"))) << file;
  }
}

}  // namespace
}  // namespace ossau::test
