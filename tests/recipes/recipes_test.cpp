#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "house/project.hpp"
#include "recipes/manifest_faults.hpp"
#include "support/files.hpp"

// No cluster is at hand: what can be known of a recipe without one.  Every check is shown a broken
// copy too.

namespace ossau::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

using Check = std::vector<std::string> (*)(const std::string& text);

std::string project_file(const std::string& name) { return read_file(source_directory() / name); }

std::string replaced(std::string text, const std::string& old, const std::string& by) {
  const std::size_t at = text.find(old);
  if (at == std::string::npos) return "nothing to replace: " + old;
  return text.replace(at, old.size(), by);
}

std::vector<std::string> faulty_calls(const std::string& text) {
  return call_faults(text, OSSAU_PROGRAM);
}

struct Recipe {
  const char* file;
  Check check;
};

const std::vector<Recipe> kRecipes = {{"recipes/kubernetes-indexed-job.yaml", kubernetes_faults},
                                      {"recipes/kubernetes-mpijob.yaml", kubernetes_faults},
                                      {"recipes/docker-compose.yaml", compose_faults},
                                      {"recipes/slurm.sbatch", slurm_faults},
                                      {"recipes/slurm-environment.sbatch", slurm_faults}};

TEST(Recipes, HoldTogether) {
  for (const Recipe& recipe : kRecipes) {
    EXPECT_THAT(recipe.check(project_file(recipe.file)), IsEmpty()) << recipe.file;
    EXPECT_THAT(faulty_calls(project_file(recipe.file)), IsEmpty()) << recipe.file;
  }
}

TEST(Recipes, AreAllChecked) {
  std::size_t files = 0;
  for (const fs::path& file : project_files({"recipes"}, {".yaml", ".sbatch"})) {
    ++files;
    EXPECT_NE(std::find_if(kRecipes.begin(), kRecipes.end(),
                           [&](const Recipe& recipe) {
                             return file.generic_string().ends_with(recipe.file);
                           }),
              kRecipes.end())
        << file;
  }
  EXPECT_EQ(files, kRecipes.size());
}

TEST(Recipes, AreCalledAsThePageSays) {
  const std::string page = project_file("docs/clusters.md");
  EXPECT_THAT(faulty_calls(page), IsEmpty());
  for (const Recipe& recipe : kRecipes) EXPECT_THAT(page, HasSubstr(recipe.file));
  EXPECT_THAT(page, HasSubstr("recipes/hostfile"));
}

struct Breakage {
  const char* file;
  Check check;
  const char* old;
  const char* by;
  const char* fault;
};

const std::vector<Breakage> kBreakages = {
    {kRecipes[0].file, kubernetes_faults, "completions: 2", "completions: 3", "parallelism is 2"},
    {kRecipes[0].file, kubernetes_faults, "value: \"2\"", "value: \"4\"", "WORLD_SIZE is 4"},
    {kRecipes[0].file, kubernetes_faults, "Indexed", "NonIndexed", "must be Indexed"},
    {kRecipes[0].file, kubernetes_faults, "clusterIP: None", "clusterIP: 10.0.0.1", "must be None"},
    {kRecipes[0].file, kubernetes_faults, "apiVersion: batch/v1", "apiVersion: batch/v2",
     "must be batch/v1"},
    {kRecipes[0].file, kubernetes_faults, "kind: Job", "kind: Jab", "unknown kind Jab"},
    {kRecipes[0].file, kubernetes_faults, "parallelism: 2", "paralelism: 2",
     "paralelism: unknown field"},
    {kRecipes[0].file, kubernetes_faults, "parallelism: 2", "parallelism: 2\n  parallelism: 2",
     "stands there twice"},
    {kRecipes[0].file, kubernetes_faults, "restartPolicy: Never", "restartPolicy: OnFailure",
     "must be Never"},
    {kRecipes[0].file, kubernetes_faults, "values: [75]", "values: [76]", "is 76, not 75"},
    {kRecipes[0].file, kubernetes_faults, "values: [75]", "values: 75", "must be a list"},
    {kRecipes[0].file, kubernetes_faults, "action: Ignore", "action: Forget",
     "knows no action Forget"},
    {kRecipes[0].file, kubernetes_faults, "containerName: ossau", "containerName: other",
     "container is other"},
    {kRecipes[0].file, kubernetes_faults, "subdomain: ossau", "subdomain: train",
     "subdomain is train"},
    {kRecipes[0].file, kubernetes_faults, "ossau-0.ossau\n", "ossau-1.ossau\n", "MASTER_ADDR is"},
    {kRecipes[0].file, kubernetes_faults, "job-name: ossau", "job-name: other",
     "selector is other"},
    {kRecipes[0].file, kubernetes_faults, "name: OSSAU_JOB_TOKEN", "name: OSSAU_TOKEN",
     "OSSAU_TOKEN is read by nobody"},
    {kRecipes[0].file, kubernetes_faults, "- name: MASTER_PORT", "- name: LOCAL_RANK",
     "MASTER_PORT is not set"},
    {kRecipes[0].file, kubernetes_faults, "- name: data\n              mountPath",
     "- name: disk\n              mountPath", "there is no volume disk"},
    {kRecipes[0].file, kubernetes_faults, "---\n", "---\nkind: [", "line"},
    {kRecipes[0].file, faulty_calls, "configs/cluster.yaml", "configs/clusters.yaml",
     "cannot read it"},
    {kRecipes[0].file, faulty_calls, "communication.timeout_s", "communication.timeouts",
     "communication.timeouts: unknown key"},
    {kRecipes[1].file, kubernetes_faults, "kubeflow.org/v2beta1", "kubeflow.org/v1",
     "must be kubeflow.org/v2beta1"},
    {kRecipes[1].file, kubernetes_faults, "    Worker:\n", "    Workers:\n",
     "Workers: unknown field"},
    {kRecipes[1].file, kubernetes_faults, "    Worker:\n", "    Workers:\n", "Worker: is missing"},
    {kRecipes[1].file, kubernetes_faults, "replicas: 2", "replicas: 3", "-np is 2, not 3"},
    {kRecipes[1].file, kubernetes_faults, "slotsPerWorker: 1", "slotsPerWorker: 4",
     "-np is 2, not 8"},
    {kRecipes[1].file, kubernetes_faults, "\"10\"", "\"60\"", "too short for four pauses"},
    {kRecipes[1].file, kubernetes_faults, "command: [mpirun]", "command: [mpiexec.hydra]",
     "command is mpiexec.hydra"},
    {kRecipes[1].file, faulty_calls, "train,\n", "train,\n no.yaml, train,\n", "cannot read it"},
    {kRecipes[2].file, compose_faults, "RANK: \"1\"", "RANK: \"0\"", "RANK is 0, not 1"},
    {kRecipes[2].file, compose_faults, "MASTER_PORT: \"29500\"", "MASTER_PORT: \"29501\"",
     "told different things"},
    {kRecipes[2].file, compose_faults, "hostname: node1", "hostname: node2", "hostname is node2"},
    {kRecipes[2].file, compose_faults, "WORLD_SIZE", "WORLDSIZE", "WORLDSIZE is read by nobody"},
    {kRecipes[2].file, compose_faults, "command:", "comand:", "comand: unknown field"},
    {kRecipes[3].file, slurm_faults, "#SBATCH --requeue", "#SBATCH --requeued",
     "no option --requeued"},
    {kRecipes[3].file, slurm_faults, "#SBATCH --signal=TERM@120", "#", "no rank gets SIGTERM"},
    {kRecipes[3].file, slurm_faults, "set -euo pipefail\n", "set -e\n#SBATCH --time=1\n",
     "comes after a command"},
    {kRecipes[3].file, slurm_faults, "SLURM_CPUS_PER_TASK", "SLURM_CPU_PER_TASK",
     "does not set SLURM_CPU_PER_TASK"},
    {kRecipes[3].file, slurm_faults, "then scontrol", "scontrol", "bash -n"},
    {kRecipes[3].file, faulty_calls, "run.directory", "run.directry", "run.directry: unknown key"},
    {kRecipes[4].file, slurm_faults,
     "export RANK=", "export MY_RANK=", "MY_RANK is read by nobody"},
    {kRecipes[4].file, slurm_faults, "export MASTER_ADDR", "export MAIN MASTER_ADDR",
     "MAIN is read by nobody"},
    {kRecipes[4].file, faulty_calls, "launcher=environment", "launcher=slurm", "launcher"},
};

TEST(Recipes, AreFoundOutWhenBroken) {
  for (const Breakage& breakage : kBreakages) {
    const std::string text = project_file(breakage.file);
    EXPECT_THAT(text, HasSubstr(breakage.old)) << breakage.file;
    EXPECT_THAT(breakage.check(replaced(text, breakage.old, breakage.by)),
                Contains(HasSubstr(breakage.fault)))
        << breakage.file << ": " << breakage.by;
  }
}

}  // namespace
}  // namespace ossau::test
