#include "data/text/csv_kinds.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/shards.hpp"
#include "data/text/csv_columns.hpp"
#include "data/text/numbers.hpp"

namespace ossau {
namespace {

// The part of a file's bytes that one process looks at.
Range part_of(const SourceText& file, RankInfo process) {
  const auto end_of = [&](std::int64_t parts) {
    __extension__ using Wide = __int128;
    return static_cast<std::int64_t>(Wide{parts} * static_cast<std::int64_t>(file.text.size()) /
                                     process.size);
  };
  return {end_of(process.rank), end_of(process.rank + 1)};
}

// Counts the records of files, and the numbers among the cells of its own part of them.
class KindFinder {
 public:
  KindFinder(const Schema& schema, RankInfo process)
      : schema_(schema), process_(process), counts_(2 * schema.columns.size()) {}

  // The file's number of rows.
  std::int64_t look_at(const SourceText& file) {
    CsvRecords records(file, schema_.delimiter, schema_.header);
    if (first_names_.empty()) first_names_ = records.names();
    check_same_columns(first_names_, records);
    const CsvBinding binding = bind_columns(schema_, records, extra_);
    const Range mine = part_of(file, process_);
    for (std::int64_t rows = 0;; ++rows) {
      if (!mine.contains(records.next_byte())) {
        if (!records.skip()) return rows;
        continue;
      }
      const std::vector<CsvCell>* const cells = records.next();
      if (cells == nullptr) return rows;
      count(*cells, binding);
    }
  }

  // [columns, 2]: cells that are not empty, and the numbers among them.  nan, inf and overflow
  // count as numbers: they are mistakes to report, not categories.
  std::vector<std::int64_t> take_counts() { return std::move(counts_); }

 private:
  void count(const std::vector<CsvCell>& cells, const CsvBinding& binding) {
    for (std::size_t j = 0; j < binding.columns.size(); ++j) {
      const std::string_view text = cells[binding.columns[j]].text;
      counts_[2 * j] += text.empty() ? 0 : 1;
      counts_[2 * j + 1] += looks_numeric(text) ? 1 : 0;
    }
  }

  const Schema& schema_;
  const RankInfo process_;
  std::vector<std::int64_t> counts_;
  std::vector<std::string> first_names_;
  std::vector<std::string> extra_;
};

}  // namespace

void find_kinds(SourceSet& files, Schema& schema) {
  KindFinder finder(schema, files.peers().share().process);
  files.survey([&](const SourceText& file) { return finder.look_at(file); });
  std::vector<std::int64_t> counts = finder.take_counts();
  unite_sums(files.peers(), counts, "kinds of columns");
  for (std::size_t j = 0; j < schema.columns.size(); ++j) {
    schema.columns[j].categorical = counts[2 * j + 1] * 10 < counts[2 * j] * 9;
  }
}

}  // namespace ossau
