#pragma once

#include <string>
#include <vector>

#include "config/load.hpp"
#include "ossau/error.hpp"

namespace ossau::test {

/// A configuration whose only fault can be in `yaml`: data.train is given by an override.
inline LoadedConfig parse(const std::string& yaml, std::vector<std::string> overrides = {}) {
  overrides.insert(overrides.begin(), "data.train=rows.csv");
  return parse_config(yaml, "t.yaml", overrides);
}

/// What parse() complains of; empty if of nothing.
inline std::string message_of(const std::string& yaml, std::vector<std::string> overrides = {}) {
  try {
    parse(yaml, std::move(overrides));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace ossau::test
