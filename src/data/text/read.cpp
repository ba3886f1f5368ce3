#include "data/read.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/log.hpp"
#include "data/text/csv_reader.hpp"
#include "data/text/format.hpp"
#include "data/text/labels.hpp"
#include "data/text/libsvm_reader.hpp"
#include "data/text/messages.hpp"
#include "data/text/peers.hpp"
#include "data/text/source_files.hpp"
#include "data/text/source_set.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

void check_rows(const Table& table, const SourceSet& files) {
  if (table.all_rows() == 0) {
    throw DataError(fmt::format("{}: the file has no rows", files.names().front()));
  }
}

SourceSet validation_files(const DataConfig& config, Format format, const Peers& peers) {
  SourceSet files(config.validation, "data.validation", RowPlan{}, peers);
  if (config.format == Format::kAuto) files.expect(format);
  return files;
}

void warn_of_query_ids(const Skipped& train, const Skipped& validation) {
  const std::int64_t count = train.count + validation.count;
  if (count == 0) return;
  log_warning(fmt::format("{}: qid is ignored ({} of them; a classifier does not rank)",
                          train.count > 0 ? train.first.where : validation.first.where, count));
}

void warn_of_unknown_features(const Skipped& unknown, std::int64_t n_features, bool zero_based) {
  if (unknown.count == 0) return;
  log_warning(
      fmt::format("{}: {} entries are ignored: their index is above {}, the last feature "
                  "of the training rows",
                  unknown.first.where, unknown.count, n_features - (zero_based ? 1 : 0)));
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
                    rows.unseen.first.where, rows.unseen.count, shown(rows.unseen.example)));
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

// The table of some rows, their labels as classes.
template <class SomeRows>
Table take_table(SomeRows& rows, const Schema& schema) {
  apply_classes(rows.table, match_classes(rows.labels, schema.classes));
  return std::move(rows.table);
}

LibsvmRows read_libsvm_training(SourceSet files, const DataConfig& config,
                                const std::optional<std::string>& positive, Schema& schema) {
  if (config.weight) {
    throw ConfigError(
        "data.weight: a LIBSVM file has no columns to name (use CSV, or leave it out)");
  }
  LibsvmRows rows = read_libsvm(files, {config.zero_based, std::nullopt});
  check_rows(rows.table, files);
  if (rows.n_features == 0) {
    throw DataError(
        fmt::format("{}: no features, only labels (check data.format)", files.names().front()));
  }
  schema = libsvm_schema(rows, config.zero_based);
  schema.classes = choose_classes(rows.labels, positive, files.names());
  return rows;
}

Dataset read_libsvm_dataset(SourceSet files, const DataConfig& config,
                            const std::optional<std::string>& positive) {
  const Peers& peers = files.peers();
  Dataset dataset;
  LibsvmRows rows = read_libsvm_training(std::move(files), config, positive, dataset.schema);
  dataset.train = take_table(rows, dataset.schema);
  Skipped validation_query_ids;
  if (!config.validation.empty()) {
    SourceSet more_files = validation_files(config, Format::kLibsvm, peers);
    LibsvmRows more = read_libsvm(more_files, {config.zero_based, rows.n_features});
    check_rows(more.table, more_files);
    dataset.validation = take_table(more, dataset.schema);
    if (peers.first()) warn_of_unknown_features(more.unknown, rows.n_features, config.zero_based);
    validation_query_ids = more.query_ids;
  }
  if (peers.first()) warn_of_query_ids(rows.query_ids, validation_query_ids);
  return dataset;
}

CsvRows read_csv_training_set(SourceSet files, const DataConfig& config,
                              const std::optional<std::string>& positive, Schema& schema) {
  CsvRows rows = read_csv_training(files, config, schema);
  check_rows(rows.table, files);
  schema.classes = choose_classes(rows.labels, positive, files.names());
  return rows;
}

Dataset read_csv_dataset(SourceSet files, const DataConfig& config,
                         const std::optional<std::string>& positive) {
  const Peers& peers = files.peers();
  Dataset dataset;
  CsvRows rows = read_csv_training_set(std::move(files), config, positive, dataset.schema);
  dataset.train = take_table(rows, dataset.schema);
  if (config.validation.empty()) return dataset;
  SourceSet more_files = validation_files(config, Format::kCsv, peers);
  CsvRows more = read_csv_by_schema(more_files, dataset.schema);
  check_rows(more.table, more_files);
  dataset.validation = take_table(more, dataset.schema);
  if (peers.first()) warn_of_csv(more);
  return dataset;
}

}  // namespace

Dataset read_dataset(const DataConfig& config, const std::optional<std::string>& positive,
                     const DataShare& share, const GatherTexts& gather) {
  const Peers peers(share, gather);
  SourceSet files(config.train, "data.train", training_plan(config), peers);
  Format format = config.format;
  if (format == Format::kAuto) {
    format = detect_format(files.front());
    files.expect(format);
  }
  if (format == Format::kLibsvm) return read_libsvm_dataset(std::move(files), config, positive);
  return read_csv_dataset(std::move(files), config, positive);
}

}  // namespace ossau
