#include "comm/process/launcher.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <limits>
#include <system_error>

#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr std::int64_t kMostRanks = 65536;
constexpr std::int64_t kLastPort = 65535;

const char* const kAllVariables =
    "RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and OSSAU_JOB_TOKEN tell each process of a job "
    "about the others; without a job set communication.launcher: none";

std::string variable(const Environment& environment, const char* name) {
  const std::optional<std::string> value = environment(name);
  if (!value || value->empty()) {
    throw ConfigError(fmt::format("{} is not set ({})", name, kAllVariables));
  }
  return *value;
}

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::int64_t number_between(const Environment& environment, const char* name, std::int64_t low,
                            std::int64_t high) {
  const std::string text = variable(environment, name);
  const std::optional<std::int64_t> number = whole_number(text);
  if (!number || *number < low || *number > high) {
    throw ConfigError(fmt::format("{}: \"{}\" is not a whole number from {} to {} ({})", name, text,
                                  low, high, kAllVariables));
  }
  return *number;
}

bool is_given(const Environment& environment, const char* name) {
  const std::optional<std::string> value = environment(name);
  return value && !value->empty();
}

// Zero where nothing says so.
std::int64_t size_said(const Environment& environment, const char* name) {
  const std::optional<std::string> text = environment(name);
  return text ? whole_number(*text).value_or(0) : 0;
}

bool is_one_of_mpi(const Environment& environment) {
  for (const char* const name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (environment(name)) return size_said(environment, name) > 1;
  }
  // Slurm's PMIx tells no size of its own.
  return environment("PMIX_RANK") && size_said(environment, "SLURM_STEP_NUM_TASKS") != 1;
}

std::string job_token(const Environment& environment) {
  const std::optional<std::string> token = environment("OSSAU_JOB_TOKEN");
  if (token && !token->empty()) return *token;
  throw ConfigError(
      "OSSAU_JOB_TOKEN is not set: only processes that know it are let into a job (set it to the "
      "same secret on every rank, for example from `openssl rand -hex 16`)");
}

std::uint16_t master_port(const Environment& environment) {
  const char* const own = "OSSAU_MASTER_PORT";
  const char* const name = is_given(environment, own) ? own : "MASTER_PORT";
  std::int64_t port = number_between(environment, name, 1, kLastPort);
  // torchrun's own store may hold the port itself.
  const bool is_taken = environment("TORCHELASTIC_USE_AGENT_STORE") == "True" && name != own;
  if (is_taken) port = port == kLastPort ? port - 1 : port + 1;
  return static_cast<std::uint16_t>(port);
}

Launch environment_launch(const Environment& environment) {
  Launch launch;
  launch.launcher = Launcher::kEnvironment;
  launch.rank.size = number_between(environment, "WORLD_SIZE", 1, kMostRanks);
  launch.rank.rank = number_between(environment, "RANK", 0, launch.rank.size - 1);
  if (launch.rank.size == 1) return {};
  if (is_given(environment, "LOCAL_RANK")) {
    launch.local_rank = number_between(environment, "LOCAL_RANK", 0, kMostRanks);
  }
  launch.master = {.host = variable(environment, "MASTER_ADDR"), .port = master_port(environment)};
  launch.token = job_token(environment);
  return launch;
}

Launch mpi_launch() {
  Launch launch;
  launch.launcher = Launcher::kMpi;
  return launch;
}

}  // namespace

Launch find_launch(Launcher wanted, const Environment& environment) {
  switch (wanted) {
    case Launcher::kNone:
      return {};
    case Launcher::kMpi:
      return mpi_launch();
    case Launcher::kEnvironment:
      return environment_launch(environment);
    case Launcher::kAuto:
      break;
  }
  if (is_one_of_mpi(environment)) return mpi_launch();
  if (environment("WORLD_SIZE")) return environment_launch(environment);
  return {};
}

std::optional<std::string> environment_variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace ossau
