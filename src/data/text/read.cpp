#include "data/read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.hpp"
#include "data/text/csv_reader.hpp"
#include "data/text/format.hpp"
#include "data/text/labels.hpp"
#include "data/text/libsvm_reader.hpp"
#include "data/text/messages.hpp"
#include "data/text/source_files.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

// Blank files are left out: jobs that write many parts leave empty ones.
std::vector<SourceText> read_sources(const std::vector<std::string>& patterns,
                                     std::string_view key) {
  if (patterns.empty()) throw ConfigError(fmt::format("{}: no file is named (give a path)", key));
  std::vector<SourceText> files;
  std::string first_name;
  for (const std::string& path : expand_paths(patterns, key)) {
    SourceText file = read_source(path);
    if (first_name.empty()) first_name = path;
    if (!file.blank()) files.push_back(std::move(file));
  }
  if (files.empty()) throw DataError(fmt::format("{}: the file has no rows", first_name));
  return files;
}

// Where the format was guessed, a name that says otherwise is a mistake worth a clear message.
void check_formats(const std::vector<SourceText>& files, Format format, const DataConfig& config) {
  if (config.format != Format::kAuto) return;
  for (const SourceText& file : files) {
    if (format_of_name(file.name).value_or(format) == format) continue;
    const char* const expected = format == Format::kLibsvm ? "LIBSVM" : "CSV";
    throw DataError(fmt::format("{}: the first training file is {} (give files of one format)",
                                file.name, expected));
  }
}

void check_rows(const Table& table, const std::vector<SourceText>& files) {
  if (table.rows() == 0) {
    throw DataError(fmt::format("{}: the file has no rows", files.front().name));
  }
}

void warn_of_query_ids(const Skipped& train, const Skipped& validation) {
  const std::int64_t count = train.count + validation.count;
  if (count == 0) return;
  log_warning(fmt::format("{}: qid is ignored ({} of them; a classifier does not rank)",
                          train.count > 0 ? train.first : validation.first, count));
}

void warn_of_unknown_features(const Skipped& unknown, std::int64_t n_features, bool zero_based) {
  if (unknown.count == 0) return;
  log_warning(
      fmt::format("{}: {} entries are ignored: their index is above {}, the last feature "
                  "of the training rows",
                  unknown.first, unknown.count, n_features - (zero_based ? 1 : 0)));
}

void warn_of_csv(const CsvRows& rows) {
  if (!rows.extra_columns.empty()) {
    log_warning(
        fmt::format("data.validation: columns that the training rows do not have are "
                    "ignored: {}",
                    shown_list(rows.extra_columns)));
  }
  if (rows.unseen.count > 0) {
    log_warning(
        fmt::format("{}: {} cells hold a category that no training row has, this one {}; "
                    "they count as none of the known ones",
                    rows.unseen.first, rows.unseen.count, shown(rows.unseen_example)));
  }
}

Schema libsvm_schema(const LibsvmRows& rows, bool zero_based) {
  Schema schema;
  schema.format = Format::kLibsvm;
  schema.zero_based = zero_based;
  schema.feature_names.reserve(static_cast<std::size_t>(rows.n_features));
  const std::int64_t first = zero_based ? 0 : 1;
  for (std::int64_t i = 0; i < rows.n_features; ++i) {
    schema.feature_names.push_back(fmt::format("f{}", i + first));
  }
  return schema;
}

Dataset read_libsvm_dataset(std::vector<SourceText> files, const DataConfig& config,
                            const std::optional<std::string>& positive) {
  if (config.weight) {
    throw ConfigError(
        "data.weight: a LIBSVM file has no columns to name (use CSV, or leave it out)");
  }
  LibsvmRows rows = read_libsvm(files, {config.zero_based, std::nullopt});
  check_rows(rows.table, files);
  if (rows.n_features == 0) {
    throw DataError(
        fmt::format("{}: no features, only labels (check data.format)", files.front().name));
  }
  Dataset dataset;
  dataset.schema = libsvm_schema(rows, config.zero_based);
  dataset.schema.classes = choose_classes(rows.labels, positive, files);
  apply_classes(rows.table, match_classes(rows.labels, dataset.schema.classes));
  dataset.train = std::move(rows.table);
  Skipped validation_query_ids;
  if (!config.validation.empty()) {
    files = read_sources(config.validation, "data.validation");
    check_formats(files, Format::kLibsvm, config);
    LibsvmRows more = read_libsvm(files, {config.zero_based, rows.n_features});
    check_rows(more.table, files);
    apply_classes(more.table, match_classes(more.labels, dataset.schema.classes));
    warn_of_unknown_features(more.unknown, rows.n_features, config.zero_based);
    validation_query_ids = more.query_ids;
    dataset.validation = std::move(more.table);
  }
  warn_of_query_ids(rows.query_ids, validation_query_ids);
  return dataset;
}

Dataset read_csv_dataset(std::vector<SourceText> files, const DataConfig& config,
                         const std::optional<std::string>& positive) {
  Dataset dataset;
  CsvRows rows = read_csv_training(files, config, dataset.schema);
  check_rows(rows.table, files);
  dataset.schema.classes = choose_classes(rows.labels, positive, files);
  apply_classes(rows.table, match_classes(rows.labels, dataset.schema.classes));
  dataset.train = std::move(rows.table);
  if (config.validation.empty()) return dataset;
  files = read_sources(config.validation, "data.validation");
  check_formats(files, Format::kCsv, config);
  CsvRows more = read_csv_by_schema(files, dataset.schema);
  check_rows(more.table, files);
  apply_classes(more.table, match_classes(more.labels, dataset.schema.classes));
  warn_of_csv(more);
  dataset.validation = std::move(more.table);
  return dataset;
}

}  // namespace

Dataset read_dataset(const DataConfig& config, const std::optional<std::string>& positive) {
  std::vector<SourceText> files = read_sources(config.train, "data.train");
  const Format format =
      config.format == Format::kAuto ? detect_format(files.front()) : config.format;
  check_formats(files, format, config);
  if (format == Format::kLibsvm) return read_libsvm_dataset(std::move(files), config, positive);
  return read_csv_dataset(std::move(files), config, positive);
}

}  // namespace ossau
