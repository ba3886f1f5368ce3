#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/kept_rows.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// One column of a CSV file, as it was read.
struct SourceColumn {
  std::string name;
  bool categorical = false;
  std::vector<std::string> categories;  // sorted; one feature each, empty for a number
};

/// How text became rows: enough to read another file the same way and to name every feature.
struct Schema {
  Format format = Format::kLibsvm;    // never kAuto
  bool zero_based = false;            // LIBSVM
  char delimiter = ',';               // CSV; a space: any run of spaces and tabs
  bool header = false;                // CSV
  std::string label_column;           // CSV: its name; empty for LIBSVM
  std::string weight_column;          // CSV: its name; empty for none
  std::vector<SourceColumn> columns;  // CSV: in file order without label and weight; LIBSVM: none
  std::vector<std::string> feature_names;  // [d], for example "age", "state=KS", "f17"
  std::array<std::string, 2> classes;      // labels of class 0 (negative) and 1 (positive)
};

/// Rows as read, before shuffling, scaling and tiling: compressed sparse rows for every format, in
/// the order of the files.  n counts the rows that are here.
struct Table {
  std::vector<std::int64_t> row_start = {0};  // [n + 1], into index and value
  std::vector<std::uint32_t> index;           // feature, ascending within a row
  std::vector<double> value;                  // finite, never zero
  std::vector<std::uint8_t> label;            // [n], {0, 1}
  std::vector<double> weight;                 // [n], >= 0, or empty: every row weighs 1
  std::optional<KeptRows> kept;               // which of all rows are here; absent: every one

  std::int64_t rows() const { return static_cast<std::int64_t>(label.size()); }
  /// Of all processes.
  std::int64_t all_rows() const { return kept ? kept->rows() : rows(); }
  /// Where a row of the files is here.
  std::int64_t index_of(std::int64_t row) const { return kept ? kept->index_of(row) : row; }
};

}  // namespace ossau
