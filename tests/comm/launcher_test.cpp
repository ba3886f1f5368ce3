#include "comm/process/launcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "ossau/error.hpp"

namespace ossau::test {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

Launch launch_of(const Variables& variables, Launcher wanted = Launcher::kAuto) {
  return find_launch(wanted, [&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

std::string mistake_of(const Variables& variables, Launcher wanted = Launcher::kAuto) {
  try {
    launch_of(variables, wanted);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "none";
}

Variables job() {
  return {{"RANK", "1"},
          {"WORLD_SIZE", "3"},
          {"LOCAL_RANK", "0"},
          {"MASTER_ADDR", "node1"},
          {"MASTER_PORT", "29500"},
          {"OSSAU_JOB_TOKEN", "secret"}};
}

Variables job_but(const std::string& name, const std::string& value) {
  Variables variables = job();
  variables[name] = value;
  return variables;
}

Variables job_without(const std::string& name) {
  Variables variables = job();
  variables.erase(name);
  return variables;
}

TEST(FindLaunch, SeesAProcessThatWasStartedAlone) {
  EXPECT_EQ(launch_of({}).launcher, Launcher::kNone);
  EXPECT_EQ(launch_of({{"RANK", "3"}}).launcher, Launcher::kNone);
  EXPECT_EQ(launch_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}).launcher, Launcher::kNone);
}

TEST(FindLaunch, CountsAJobOfOneAsNone) {
  Variables variables = job_but("WORLD_SIZE", "1");
  variables["RANK"] = "0";
  EXPECT_EQ(launch_of(variables).launcher, Launcher::kNone);
}

TEST(FindLaunch, ReadsTheEnvironment) {
  const Launch launch = launch_of(job());
  EXPECT_EQ(launch.launcher, Launcher::kEnvironment);
  EXPECT_EQ(launch.rank.rank, 1);
  EXPECT_EQ(launch.rank.size, 3);
  EXPECT_EQ(launch.local_rank, 0);
  EXPECT_EQ(to_string(launch.master), "node1:29500");
  EXPECT_EQ(launch.token, "secret");
  EXPECT_FALSE(launch_of(job_without("LOCAL_RANK")).local_rank.has_value());
  EXPECT_FALSE(launch_of(job_but("LOCAL_RANK", "")).local_rank.has_value());
  EXPECT_EQ(launch_of(job_but("OSSAU_MASTER_PORT", "")).master.port, 29500);
}

TEST(FindLaunch, KnowsMpiLaunchers) {
  EXPECT_EQ(launch_of({{"OMPI_COMM_WORLD_SIZE", "4"}}).launcher, Launcher::kMpi);
  EXPECT_EQ(launch_of({{"OMPI_COMM_WORLD_SIZE", "1"}}).launcher, Launcher::kNone);
  EXPECT_EQ(launch_of({{"PMI_SIZE", "2"}, {"PMI_RANK", "1"}}).launcher, Launcher::kMpi);
  EXPECT_EQ(launch_of({{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}}).launcher,
            Launcher::kMpi);
  EXPECT_EQ(launch_of({{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_TASKS", "1"}}).launcher,
            Launcher::kNone);
}

TEST(FindLaunch, DoesAsTheConfigurationSays) {
  Variables both = job();
  both["OMPI_COMM_WORLD_SIZE"] = "3";
  EXPECT_EQ(launch_of(both).launcher, Launcher::kMpi);
  EXPECT_EQ(launch_of(both, Launcher::kEnvironment).launcher, Launcher::kEnvironment);
  EXPECT_EQ(launch_of(both, Launcher::kNone).launcher, Launcher::kNone);
  EXPECT_EQ(launch_of({}, Launcher::kMpi).launcher, Launcher::kMpi);
}

TEST(FindLaunch, TakesAnotherPortThanTheStoreOfTorchrun) {
  Variables variables = job_but("TORCHELASTIC_USE_AGENT_STORE", "True");
  EXPECT_EQ(launch_of(variables).master.port, 29501);
  variables["OSSAU_MASTER_PORT"] = "4000";
  EXPECT_EQ(launch_of(variables).master.port, 4000);
}

TEST(FindLaunch, NamesWhatIsMissing) {
  for (const char* const name : {"RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    EXPECT_THAT(mistake_of(job_without(name)), HasSubstr(std::string(name) + " is not set"))
        << name;
  }
  EXPECT_THAT(mistake_of(job_without("OSSAU_JOB_TOKEN")), HasSubstr("openssl rand"));
  EXPECT_THAT(mistake_of({}, Launcher::kEnvironment), HasSubstr("WORLD_SIZE is not set"));
}

TEST(FindLaunch, NamesWhatMakesNoSense) {
  EXPECT_THAT(mistake_of(job_but("RANK", "3")),
              HasSubstr("RANK: \"3\" is not a whole number from 0 to 2"));
  EXPECT_THAT(mistake_of(job_but("RANK", "-1")), HasSubstr("RANK"));
  EXPECT_THAT(mistake_of(job_but("WORLD_SIZE", "two")), HasSubstr("WORLD_SIZE: \"two\""));
  EXPECT_THAT(mistake_of(job_but("WORLD_SIZE", "0")), HasSubstr("WORLD_SIZE: \"0\""));
  EXPECT_THAT(mistake_of(job_but("MASTER_PORT", "70000")), HasSubstr("MASTER_PORT"));
  EXPECT_THAT(mistake_of(job_but("LOCAL_RANK", "x")), HasSubstr("LOCAL_RANK"));
}

}  // namespace
}  // namespace ossau::test
