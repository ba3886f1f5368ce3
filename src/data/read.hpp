#pragma once

#include <optional>
#include <string>

#include "data/table.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// The rows of `data.train` and, where given, `data.validation`.
struct Dataset {
  Schema schema;
  Table train;
  std::optional<Table> validation;  // read by the schema of the training rows
};

/// Reads every file of `config`.  `positive` names the positive label; absent: the larger number,
/// else the later string.  This is the only door between text and the rest of the program.
/// Throws DataError with file, line and column; ConfigError where an option does not fit.
Dataset read_dataset(const DataConfig& config, const std::optional<std::string>& positive);

}  // namespace ossau
