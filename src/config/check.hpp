#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ossau/config.hpp"

namespace ossau {

/// A disagreement between keys that are each allowed by themselves.
struct Finding {
  bool is_error = true;           // else a warning
  std::vector<std::string> keys;  // dotted, those involved; the first is the one to name
  std::string text;               // what is wrong and how to repair it
};

/// Everything that does not fit together in `config`; changes and throws nothing.
std::vector<Finding> check_config(const Config& config);

/// Throws ConfigError that lists every value out of bounds and every disagreement: for
/// configurations made in code, which no reader has seen.
void validate_config(const Config& config);

/// Throws ConfigError where a launcher brings more processes than there are virtual shards to
/// share.
void check_processes(const Config& config, std::int64_t processes);

}  // namespace ossau
