#pragma once

#include <optional>
#include <string>

#include "data/share.hpp"
#include "data/table.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// The rows of `data.train` and, where given, `data.validation`: those that this process keeps.
struct Dataset {
  Schema schema;
  Table train;
  std::optional<Table> validation;  // read by the schema of the training rows
};

/// Reads every file of `config`.  `positive` names the positive label; absent: the larger number,
/// else the later string.  This is the only door between text and the rest of the program.
/// Every process looks through all text, but parses and keeps the rows of its share alone; schema
/// and warnings (by process 0) are those of all rows.  Collective where there are several
/// processes. gather: how they tell each other what they found; not called by a process alone.
/// Throws DataError with file, line and column, where only this process may have seen the mistake;
/// the same one on all processes where they see different files or all rows together are wrong;
/// ConfigError where an option does not fit.
Dataset read_dataset(const DataConfig& config, const std::optional<std::string>& positive,
                     const DataShare& share = {}, const GatherTexts& gather = {});

}  // namespace ossau
