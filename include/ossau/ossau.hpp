#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ossau/config.hpp"
#include "ossau/error.hpp"
#include "ossau/summary.hpp"

namespace ossau {

/// The program's version, for example "0.1.0".
std::string version();

/// Reads a YAML configuration, or takes a file of rows for data.train, all else at its default;
/// which of them it is shows in its first line.  `overrides` are "section.key=value" with YAML
/// values. Throws ConfigError that lists every problem found.
Config load_config(const std::filesystem::path& file,
                   const std::vector<std::string>& overrides = {});

/// Trains as `config` says, writes the run directory and returns what it wrote to summary.json.
/// Goes on from a checkpoint of the same configuration and data where config.checkpoint says so.
/// Throws ConfigError, DataError, DeviceError or CommError; then no model is saved.
Summary train(const Config& config);

}  // namespace ossau
