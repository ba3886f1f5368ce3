#pragma once

#include <string>
#include <vector>

#include "data/table.hpp"
#include "data/text/labels.hpp"
#include "data/text/source_files.hpp"
#include "data/text/source_set.hpp"
#include "ossau/config.hpp"

namespace ossau {

struct CsvRows {
  Table table;  // labels as numbers of `labels`
  LabelSet labels;
  Skipped unseen;                          // categories that training did not see, "column=value"
  std::vector<std::string> extra_columns;  // that training did not have
};

/// Reads training files and fills `schema` but for its classes: a column with at least 90 % numbers
/// among its cells that are not empty is a number, any other one is one-hot encoded.
/// All but the table is what all processes found.  Collective.
/// Throws DataError with file, line and column; ConfigError where an option does not fit.
CsvRows read_csv_training(SourceSet& files, const DataConfig& config, Schema& schema);

/// Reads files the way that `schema` says.  Collective.
/// Throws DataError with file, line and column.
CsvRows read_csv_by_schema(SourceSet& files, const Schema& schema);

}  // namespace ossau
