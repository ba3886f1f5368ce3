#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/table.hpp"
#include "data/text/csv_tokenizer.hpp"
#include "data/text/source_files.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// The records of one file after its header, each with as many cells as the first.
class CsvRecords {
 public:
  /// Reads the header, or names the columns c1, c2, ...  Throws DataError for a name met twice.
  CsvRecords(const SourceText& file, char delimiter, bool header);

  const SourceText& file() const { return file_; }
  const std::vector<std::string>& names() const { return names_; }

  /// The next record's cells, valid until the next call; absent at the end.
  /// Throws DataError for another number of cells.
  const std::vector<CsvCell>* next();

  /// Passes over the next record; false at the end.
  bool skip();

  /// The byte of the file at which the next record begins.
  std::int64_t next_byte();

 private:
  const SourceText& file_;
  CsvTokenizer tokenizer_;
  std::vector<CsvCell> cells_;
  std::vector<std::string> names_;
  bool first_is_data_ = false;
};

/// Where the cells of a schema stand in the records of one file.
struct CsvBinding {
  std::size_t label = 0;
  std::optional<std::size_t> weight;
  std::vector<std::size_t> columns;  // [schema.columns.size()]
};

/// Delimiter, header and the columns' names and parts, from the first training file; the columns'
/// kinds are still unknown.  Throws DataError for a label or weight column that is not there.
Schema begin_csv_schema(const SourceText& file, const DataConfig& config);

/// Finds the columns of `schema` in a file by name, in any order.
/// extra: columns that the schema does not know are added to it.
/// Throws DataError for a column that is missing.
CsvBinding bind_columns(const Schema& schema, const CsvRecords& records,
                        std::vector<std::string>& extra);

/// Throws DataError where a training file has other columns than the first one.
void check_same_columns(const std::vector<std::string>& first, const CsvRecords& records);

}  // namespace ossau
