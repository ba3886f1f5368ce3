#include "data/text/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "data/text/csv_columns.hpp"
#include "data/text/csv_kinds.hpp"
#include "data/text/messages.hpp"
#include "data/text/numbers.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr std::size_t kMostFeatures = std::numeric_limits<std::int32_t>::max() - 1;

struct TextHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): the library's name
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using CategoryIds = std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>>;

// Turns cells into rows.  While it reads, an entry's index is its column and a category's value is
// its id; only the end knows how many features each column has.
class CsvRowReader {
 public:
  // learn: categories not in `schema` yet become new ones.
  CsvRowReader(const Schema& schema, bool learn)
      : schema_(schema), learn_(learn), ids_(schema.columns.size()) {
    for (std::size_t j = 0; j < ids_.size(); ++j) {
      for (const std::string& category : schema.columns[j].categories) add_category(j, category);
    }
  }

  // kept: which rows to read, counted through all files; null: every one.
  void read(const SourceText& file, const KeptRows* kept) {
    CsvRecords records(file, schema_.delimiter, schema_.header);
    const CsvBinding binding = bind_columns(schema_, records, rows_.extra_columns);
    file_ = &file;
    for (;; ++row_) {
      if (kept != nullptr && !kept->has(row_)) {
        if (!records.skip()) return;
        continue;
      }
      const std::vector<CsvCell>* const cells = records.next();
      if (cells == nullptr) return;
      add_row(*cells, binding);
    }
  }

  // The categories of a column, by id.
  std::vector<std::string> categories(std::size_t column) const {
    std::vector<std::string> names(ids_[column].size());
    for (const auto& [name, id] : ids_[column]) names[id] = name;
    return names;
  }

  CsvRows take() { return std::move(rows_); }

 private:
  std::uint32_t add_category(std::size_t column, std::string_view text) {
    const auto id = static_cast<std::uint32_t>(ids_[column].size());
    ids_[column].emplace(text, id);
    return id;
  }

  void add_row(const std::vector<CsvCell>& cells, const CsvBinding& binding) {
    const CsvCell& label = cells[binding.label];
    rows_.table.label.push_back(rows_.labels.add(label.text, *file_, label.at));
    if (binding.weight) rows_.table.weight.push_back(weight(cells[*binding.weight]));
    for (std::size_t j = 0; j < binding.columns.size(); ++j) add(j, cells[binding.columns[j]]);
    rows_.table.row_start.push_back(static_cast<std::int64_t>(rows_.table.index.size()));
  }

  void add(std::size_t column, const CsvCell& cell) {
    if (schema_.columns[column].categorical) {
      add_categorical(column, cell);
      return;
    }
    const double number = numeric(schema_.columns[column].name, cell);
    if (number != 0) push(column, number);
  }

  void add_categorical(std::size_t column, const CsvCell& cell) {
    const auto found = ids_[column].find(cell.text);
    if (found != ids_[column].end()) {
      push(column, found->second);
    } else if (learn_) {
      push(column, add_category(column, cell.text));
    } else if (rows_.unseen.add(*file_, cell.at)) {
      rows_.unseen.example = schema_.columns[column].name + "=" + std::string(cell.text);
    }
  }

  void push(std::size_t column, double value) {
    rows_.table.index.push_back(static_cast<std::uint32_t>(column));
    rows_.table.value.push_back(value);
  }

  double numeric(const std::string& column, const CsvCell& cell) const {
    const ParsedNumber number = parse_number(cell.text);
    if (number.status == NumberStatus::kNumber) return number.value;
    const std::string problem =
        cell.text.empty()
            ? "the cell is empty in a column of numbers (fill it in, or remove the row)"
            : number_problem(cell.text, number.status);
    throw DataError(fmt::format("{}: {}: {}", file_->where(cell.at), column, problem));
  }

  double weight(const CsvCell& cell) const {
    const double value = numeric(schema_.weight_column, cell);
    if (value >= 0) return value;
    throw DataError(fmt::format("{}: {}: weight {} is negative (0 leaves the row out)",
                                file_->where(cell.at), schema_.weight_column, shown(cell.text)));
  }

  const Schema& schema_;
  const bool learn_;
  std::vector<CategoryIds> ids_;  // [columns]
  CsvRows rows_;
  const SourceText* file_ = nullptr;
  std::int64_t row_ = 0;  // of all files, those left out included
};

// Gives `schema` the categories of all processes; returns each id's place among them.
std::vector<std::vector<std::uint32_t>> sort_categories(const CsvRowReader& reader,
                                                        const Peers& peers, Schema& schema) {
  std::vector<std::vector<std::string>> by_id;
  for (std::size_t j = 0; j < schema.columns.size(); ++j) by_id.push_back(reader.categories(j));
  std::vector<std::vector<std::string>> sorted = by_id;
  unite(peers, sorted, "categories");
  std::vector<std::vector<std::uint32_t>> places(by_id.size());
  for (std::size_t j = 0; j < by_id.size(); ++j) {
    for (const std::string& name : by_id[j]) {
      const auto found = std::lower_bound(sorted[j].begin(), sorted[j].end(), name);
      places[j].push_back(static_cast<std::uint32_t>(found - sorted[j].begin()));
    }
    schema.columns[j].categories = std::move(sorted[j]);
  }
  return places;
}

void name_features(Schema& schema) {
  for (const SourceColumn& column : schema.columns) {
    if (!column.categorical) schema.feature_names.push_back(column.name);
    for (const std::string& category : column.categories) {
      schema.feature_names.push_back(column.name + "=" + category);
    }
  }
  if (schema.feature_names.size() > kMostFeatures) {
    throw DataError(fmt::format("{} features are too many (at most {}; leave out columns)",
                                schema.feature_names.size(), kMostFeatures));
  }
}

// Entries by column and category become entries by feature.
void expand(const Schema& schema, const std::vector<std::vector<std::uint32_t>>& places,
            Table& table) {
  std::vector<std::uint32_t> offset;
  std::uint32_t next = 0;
  for (const SourceColumn& column : schema.columns) {
    offset.push_back(next);
    next += column.categorical ? static_cast<std::uint32_t>(column.categories.size()) : 1;
  }
  for (std::size_t i = 0; i < table.index.size(); ++i) {
    const std::size_t column = table.index[i];
    table.index[i] = offset[column];
    if (!schema.columns[column].categorical) continue;
    const auto id = static_cast<std::size_t>(table.value[i]);
    table.index[i] += places.empty() ? static_cast<std::uint32_t>(id) : places[column][id];
    table.value[i] = 1;
  }
}

void check_weights(const Table& table, const Schema& schema, const SourceSet& files) {
  if (schema.weight_column.empty() || table.all_rows() == 0) return;
  const bool positive = std::any_of(table.weight.begin(), table.weight.end(),
                                    [](double weight) { return weight > 0; });
  if (unite_max(files.peers(), positive ? 1 : 0, "weights") > 0) return;
  throw DataError(fmt::format("{}: every weight in column {} is 0 (weigh one row at least)",
                              files.names().front(), shown(schema.weight_column)));
}

CsvRows read_rows(SourceSet& files, const Schema& schema, CsvRowReader& reader) {
  const KeptRows* const kept = files.kept() ? &*files.kept() : nullptr;
  files.each([&](const SourceText& file) { reader.read(file, kept); });
  CsvRows rows = reader.take();
  rows.table.kept = files.kept();
  unite(files.peers(), rows.labels, rows.table);
  check_weights(rows.table, schema, files);
  return rows;
}

std::int64_t count_records(const SourceText& file, const Schema& schema) {
  CsvRecords records(file, schema.delimiter, schema.header);
  std::int64_t rows = 0;
  while (records.skip()) ++rows;
  return rows;
}

}  // namespace

CsvRows read_csv_training(SourceSet& files, const DataConfig& config, Schema& schema) {
  schema = begin_csv_schema(files.front(), config);
  find_kinds(files, schema);
  CsvRowReader reader(schema, true);
  CsvRows rows = read_rows(files, schema, reader);
  const std::vector<std::vector<std::uint32_t>> places =
      sort_categories(reader, files.peers(), schema);
  name_features(schema);
  expand(schema, places, rows.table);
  return rows;
}

CsvRows read_csv_by_schema(SourceSet& files, const Schema& schema) {
  if (!files.peers().alone()) {
    files.survey([&](const SourceText& file) { return count_records(file, schema); });
  }
  CsvRowReader reader(schema, false);
  CsvRows rows = read_rows(files, schema, reader);
  unite(files.peers(), rows.unseen, "unseen categories");
  expand(schema, {}, rows.table);  // ids are places already: the schema's categories are sorted
  return rows;
}

}  // namespace ossau
