#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/source_files.hpp"

namespace ossau {

/// Stands for any run of spaces and tabs between two cells.
constexpr char kWhitespaceDelimiter = ' ';

struct CsvCell {
  std::string_view text;  // without quotes and outer spaces; valid until the next record
  const char* at;         // where it begins in the file
};

/// Cuts a file into records and cells (RFC 4180: quotes may hold delimiters, newlines and doubled
/// quotes).  Blank lines are no records.
class CsvTokenizer {
 public:
  CsvTokenizer(const SourceText& file, char delimiter);

  /// Reads the next record; false at the end of the file.
  /// Throws DataError for a quote without end or text after a closing quote.
  bool next(std::vector<CsvCell>& cells);

  /// Passes over the next record; false at the end of the file.  Many times faster than next()
  /// where no cell is quoted.  Throws DataError where next() does.
  bool skip();

  /// Where the next record begins, or the end of the file.
  const char* at_next();

 private:
  bool at_line_end() const {
    return at_ == end_ || *at_ == '\n' || (*at_ == '\r' && (at_ + 1 == end_ || at_[1] == '\n'));
  }
  bool is_space(char c) const { return c == ' ' || (c == '\t' && delimiter_ != '\t'); }
  void skip_spaces();
  void skip_blank_lines();
  CsvCell read_cell();
  CsvCell read_quoted();
  const char* find(char wanted, const char* from) const;
  const char* find_closing_quote(const char* from, bool& doubled) const;
  std::string_view without_doubling(const char* first, const char* last);

  const SourceText& file_;
  const char delimiter_;
  const char* at_;
  const char* end_;
  const char* quote_ = nullptr;        // the first quote after what skip() last saw, or the end
  std::vector<CsvCell> skipped_;       // cells of a record that nobody wants
  std::deque<std::string> rewritten_;  // cells of this record that had doubled quotes
};

}  // namespace ossau
