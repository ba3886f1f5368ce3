#include "data/text/csv_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "data/text/csv_columns.hpp"
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

  void read(const SourceText& file) {
    CsvRecords records(file, schema_.delimiter, schema_.header);
    const CsvBinding binding = bind_columns(schema_, records, rows_.extra_columns);
    file_ = &file;
    while (const std::vector<CsvCell>* cells = records.next()) {
      const CsvCell& label = (*cells)[binding.label];
      rows_.table.label.push_back(rows_.labels.add(label.text, file, label.at));
      if (binding.weight) rows_.table.weight.push_back(weight((*cells)[*binding.weight]));
      for (std::size_t j = 0; j < binding.columns.size(); ++j) {
        add(j, (*cells)[binding.columns[j]]);
      }
      rows_.table.row_start.push_back(static_cast<std::int64_t>(rows_.table.index.size()));
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
    } else {
      if (rows_.unseen.count == 0) {
        rows_.unseen_example = schema_.columns[column].name + "=" + std::string(cell.text);
      }
      rows_.unseen.add(*file_, cell.at);
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
};

struct CellCounts {
  std::int64_t filled = 0;
  std::int64_t numeric = 0;
};

// nan, inf and overflow count as numbers: they are mistakes to report, not categories.
void find_kinds(const std::vector<SourceText>& files, Schema& schema) {
  std::vector<CellCounts> counts(schema.columns.size());
  std::vector<std::string> first_names;
  std::vector<std::string> extra;
  for (const SourceText& file : files) {
    CsvRecords records(file, schema.delimiter, schema.header);
    if (first_names.empty()) first_names = records.names();
    check_same_columns(first_names, records);
    const CsvBinding binding = bind_columns(schema, records, extra);
    while (const std::vector<CsvCell>* cells = records.next()) {
      for (std::size_t j = 0; j < counts.size(); ++j) {
        const std::string_view text = (*cells)[binding.columns[j]].text;
        counts[j].filled += text.empty() ? 0 : 1;
        counts[j].numeric += looks_numeric(text) ? 1 : 0;
      }
    }
  }
  for (std::size_t j = 0; j < counts.size(); ++j) {
    schema.columns[j].categorical = counts[j].numeric * 10 < counts[j].filled * 9;
  }
}

// Sorts the categories of each column; returns each id's place among them.
std::vector<std::vector<std::uint32_t>> sort_categories(const CsvRowReader& reader,
                                                        Schema& schema) {
  std::vector<std::vector<std::uint32_t>> places(schema.columns.size());
  for (std::size_t j = 0; j < schema.columns.size(); ++j) {
    const std::vector<std::string> names = reader.categories(j);
    std::vector<std::uint32_t> order(names.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return names[a] < names[b]; });
    places[j].resize(order.size());
    for (std::size_t place = 0; place < order.size(); ++place) {
      places[j][order[place]] = static_cast<std::uint32_t>(place);
      schema.columns[j].categories.push_back(names[order[place]]);
    }
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

void check_weights(const Table& table, const Schema& schema, const SourceText& first) {
  if (table.weight.empty()) return;
  const auto positive = [](double weight) { return weight > 0; };
  if (std::any_of(table.weight.begin(), table.weight.end(), positive)) return;
  throw DataError(fmt::format("{}: every weight in column {} is 0 (weigh one row at least)",
                              first.name, shown(schema.weight_column)));
}

}  // namespace

CsvRows read_csv_training(const std::vector<SourceText>& files, const DataConfig& config,
                          Schema& schema) {
  schema = begin_csv_schema(files.front(), config);
  find_kinds(files, schema);
  CsvRowReader reader(schema, true);
  for (const SourceText& file : files) reader.read(file);
  CsvRows rows = reader.take();
  check_weights(rows.table, schema, files.front());
  const std::vector<std::vector<std::uint32_t>> places = sort_categories(reader, schema);
  name_features(schema);
  expand(schema, places, rows.table);
  return rows;
}

CsvRows read_csv_by_schema(const std::vector<SourceText>& files, const Schema& schema) {
  CsvRowReader reader(schema, false);
  for (const SourceText& file : files) reader.read(file);
  CsvRows rows = reader.take();
  check_weights(rows.table, schema, files.front());
  expand(schema, {}, rows.table);  // ids are places already: the schema's categories are sorted
  return rows;
}

}  // namespace ossau
