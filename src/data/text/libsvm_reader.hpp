#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/table.hpp"
#include "data/text/labels.hpp"
#include "data/text/source_files.hpp"
#include "data/text/source_set.hpp"

namespace ossau {

struct LibsvmOptions {
  bool zero_based = false;
  std::optional<std::int64_t> n_features;  // absent: as many as the largest index asks for
};

struct LibsvmRows {
  Table table;  // labels as numbers of `labels`
  LabelSet labels;
  std::int64_t n_features = 0;
  Skipped query_ids;  // rows with qid:N
  Skipped unknown;    // entries beyond LibsvmOptions::n_features
};

/// Reads `label index:value ...` lines; `#` starts a comment, indices may come in any order.
/// All but the table is what all processes found.  Collective.
/// Throws DataError with file, line and column.
LibsvmRows read_libsvm(SourceSet& files, const LibsvmOptions& options);

}  // namespace ossau
