#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "comm/process/socket.hpp"
#include "core/rank.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Reads a variable of the environment.
using Environment = std::function<std::optional<std::string>(const char* name)>;

/// Who started this process, and what it was told.
struct Launch {
  Launcher launcher = Launcher::kNone;  // never kAuto
  // kEnvironment:
  RankInfo rank;
  std::optional<std::int64_t> local_rank;
  Endpoint master;    // where rank 0 listens
  std::string token;  // what only the ranks of this job know
};

/// wanted: kAuto looks for an MPI launcher first.  A launcher of a single process counts as none.
/// Throws ConfigError for variables that are missing or make no sense.
Launch find_launch(Launcher wanted, const Environment& environment);

/// The variables of this process.
std::optional<std::string> environment_variable(const char* name);

}  // namespace ossau
