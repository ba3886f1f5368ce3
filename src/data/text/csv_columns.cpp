#include "data/text/csv_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "data/text/messages.hpp"
#include "data/text/numbers.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr std::string_view kDelimiters = ",\t;|";

// The first line that is not blank; a newline within quotes does not end it.
std::string_view first_line(std::string_view text) {
  const std::size_t content = text.find_first_not_of(" \t\r\n");
  if (content == std::string_view::npos) return {};
  const std::size_t newline = text.rfind('\n', content);
  text.remove_prefix(newline == std::string_view::npos ? 0 : newline + 1);
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\n' && !quoted) return text.substr(0, i);
  }
  return text;
}

char detect_delimiter(const SourceText& file) {
  const std::string_view line = first_line(file.text);
  std::array<std::size_t, kDelimiters.size()> counts{};
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const std::size_t kind = kDelimiters.find(c);
    if (!quoted && kind != std::string_view::npos) ++counts.at(kind);
  }
  const auto* const most = std::max_element(counts.begin(), counts.end());
  if (*most > 0) return kDelimiters[static_cast<std::size_t>(most - counts.begin())];
  const std::size_t last = line.find_last_not_of(" \r");
  const std::size_t space = line.find(' ', line.find_first_not_of(' '));
  return space < last && last != std::string_view::npos ? kWhitespaceDelimiter : ',';
}

bool detect_header(const SourceText& file, char delimiter) {
  CsvTokenizer tokenizer(file, delimiter);
  std::vector<CsvCell> cells;
  tokenizer.next(cells);
  return std::none_of(cells.begin(), cells.end(), [](const CsvCell& cell) {
    return parse_number(cell.text).status == NumberStatus::kNumber;
  });
}

std::optional<std::size_t> find_name(const std::vector<std::string>& names,
                                     std::string_view wanted) {
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

[[noreturn]] void fail_unknown_column(std::string_view place, std::string_view wanted,
                                      const std::vector<std::string>& names) {
  throw DataError(fmt::format("{}: there is no column {} ({}columns: {})", place, shown(wanted),
                              did_you_mean(wanted, names), shown_list(names)));
}

// A name, a number from 1, first or last; the name comes first where it could be several.
std::size_t choose_column(const std::string& choice, const std::vector<std::string>& names,
                          const std::string& place) {
  if (const auto named = find_name(names, choice)) return *named;
  if (choice == "first") return 0;
  if (choice == "last") return names.size() - 1;
  const std::optional<std::uint64_t> number = parse_index(choice);
  if (!number) fail_unknown_column(place, choice, names);
  if (*number >= 1 && *number <= names.size()) return static_cast<std::size_t>(*number) - 1;
  throw DataError(fmt::format("{}: there is no column {} (the columns are 1 to {})", place, choice,
                              names.size()));
}

std::size_t guess_label(const std::vector<std::string>& names) {
  for (const char* usual : {"label", "target", "class", "y"}) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (equal_ignoring_case(names[i], usual)) return i;
    }
  }
  return 0;
}

void check_delimiter(char delimiter) {
  if (delimiter == '"' || delimiter == '\n' || delimiter == '\r') {
    throw ConfigError("data.csv.delimiter: a quote or a line end cannot divide cells (use auto)");
  }
}

}  // namespace

CsvRecords::CsvRecords(const SourceText& file, char delimiter, bool header)
    : file_(file), tokenizer_(file, delimiter) {
  tokenizer_.next(cells_);
  first_is_data_ = !header;
  std::unordered_set<std::string> known;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const bool named = header && !cells_[i].text.empty();
    names_.push_back(named ? std::string(cells_[i].text) : fmt::format("c{}", i + 1));
    if (known.insert(names_.back()).second) continue;
    throw DataError(
        fmt::format("{}: column {} stands twice in the header (rename one; without a header, set "
                    "data.csv.header: false)",
                    file.where(cells_[i].at), shown(names_.back())));
  }
}

const std::vector<CsvCell>* CsvRecords::next() {
  if (first_is_data_) {
    first_is_data_ = false;
    return &cells_;
  }
  if (!tokenizer_.next(cells_)) return nullptr;
  if (cells_.size() != names_.size()) {
    throw DataError(fmt::format(
        "{}: found {} cells, expected {} as in the first line (quote cells that hold delimiters)",
        file_.where_line(cells_.front().at), cells_.size(), names_.size()));
  }
  return &cells_;
}

bool CsvRecords::skip() {
  if (std::exchange(first_is_data_, false)) return true;
  return tokenizer_.skip();
}

std::int64_t CsvRecords::next_byte() {
  return first_is_data_ ? 0 : tokenizer_.at_next() - file_.text.data();
}

Schema begin_csv_schema(const SourceText& file, const DataConfig& config) {
  Schema schema;
  schema.format = Format::kCsv;
  schema.delimiter = config.csv.delimiter ? *config.csv.delimiter : detect_delimiter(file);
  check_delimiter(schema.delimiter);
  schema.header = config.csv.header == AutoBool::kAuto ? detect_header(file, schema.delimiter)
                                                       : config.csv.header == AutoBool::kTrue;
  const CsvRecords records(file, schema.delimiter, schema.header);
  const std::vector<std::string>& names = records.names();
  const std::size_t label =
      config.csv.label ? choose_column(*config.csv.label, names, file.name + ": data.csv.label")
                       : guess_label(names);
  schema.label_column = names[label];
  if (config.weight) {
    const std::size_t weight = choose_column(*config.weight, names, file.name + ": data.weight");
    if (weight == label) {
      throw ConfigError(fmt::format("data.weight: column {} is the label (name another column)",
                                    shown(names[weight])));
    }
    schema.weight_column = names[weight];
  }
  for (const std::string& name : names) {
    if (name == schema.label_column || name == schema.weight_column) continue;
    schema.columns.push_back({name, false, {}});
  }
  if (schema.columns.empty()) {
    throw DataError(fmt::format("{}: no features, only {} (check data.csv.delimiter)", file.name,
                                shown_list(names)));
  }
  return schema;
}

CsvBinding bind_columns(const Schema& schema, const CsvRecords& records,
                        std::vector<std::string>& extra) {
  const std::vector<std::string>& names = records.names();
  const std::string& file = records.file().name;
  const std::size_t expected = schema.columns.size() + (schema.weight_column.empty() ? 1 : 2);
  if (!schema.header && names.size() != expected) {
    throw DataError(fmt::format("{}: found {} cells in a row, expected {} as in training", file,
                                names.size(), expected));
  }
  std::unordered_map<std::string_view, std::size_t> place_of;
  for (std::size_t i = 0; i < names.size(); ++i) place_of.emplace(names[i], i);
  const auto take = [&](const std::string& name) {
    const auto found = place_of.find(name);
    if (found == place_of.end()) fail_unknown_column(file, name, names);
    const std::size_t place = found->second;
    place_of.erase(found);
    return place;
  };
  CsvBinding binding;
  binding.label = take(schema.label_column);
  if (!schema.weight_column.empty()) binding.weight = take(schema.weight_column);
  for (const SourceColumn& column : schema.columns) binding.columns.push_back(take(column.name));
  for (const std::string& name : names) {
    if (place_of.count(name) != 0 && !find_name(extra, name)) extra.push_back(name);
  }
  return binding;
}

void check_same_columns(const std::vector<std::string>& first, const CsvRecords& records) {
  const std::vector<std::string>& names = records.names();
  if (names == first) return;
  if (names.size() != first.size()) {
    throw DataError(fmt::format("{}: found {} columns, expected {} as in the first training file",
                                records.file().name, names.size(), first.size()));
  }
  const auto differing = std::mismatch(names.begin(), names.end(), first.begin());
  throw DataError(
      fmt::format("{}: column {} is {}, but {} in the first training file (give every "
                  "file the same header)",
                  records.file().name, 1 + (differing.first - names.begin()),
                  shown(*differing.first), shown(*differing.second)));
}

}  // namespace ossau
