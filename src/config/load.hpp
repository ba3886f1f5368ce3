#pragma once

#include <string>
#include <vector>

#include "ossau/config.hpp"

namespace ossau {

/// What a configuration says, and what deserves a warning about it.
struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;
};

/// Reads YAML that messages call `name`, changed by `overrides` ("section.key=value"; the later
/// wins).  Throws ConfigError that lists every problem.  Logs nothing and fills in nothing.
LoadedConfig parse_config(const std::string& yaml, const std::string& name,
                          const std::vector<std::string>& overrides = {});

}  // namespace ossau
