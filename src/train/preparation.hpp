#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "arith/loss.hpp"
#include "backend/backend.hpp"
#include "comm/communicator.hpp"
#include "core/thread_pool.hpp"
#include "data/read.hpp"
#include "data/statistics.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// The loss that a configuration asks for.
inline LossKind choose_loss(const ModelConfig& /*model*/) { return LossKind::kLogistic; }

/// One rank's part of the data, ready for a backend, and what all ranks agree on.
struct PreparedData {
  BackendRows rows;
  ColumnTransform transform;
  Layout layout = Layout::kDense;    // never kAuto
  std::int64_t entries = 0;          // of all ranks' training rows, that are not zero
  std::int64_t row_pairs = 0;        // sum of a row's entries squared, likewise; dense: 0
  std::int64_t train_rows = 0;       // of all ranks
  std::int64_t validation_rows = 0;  // of all ranks; 0: none
  // Columns each of which parts the classes alone, in all rows that weigh something, so that
  // without a penalty no weight is best; looked for where there is none.
  std::vector<std::int64_t> separating_columns;
  Int128 rows_hash = 0;     // of all ranks' rows of both kinds, see hash_of_rows()
  double weight_scale = 1;  // of the training rows: weights in tiles are those given x this
  double lipschitz = 0;     // of the mean loss alone: max_i c_i (||x_i||^2 + 1) / 4 n / W
};

/// Splits, measures, scales and tiles the rows.  Every rank calls it; collective.
/// pool: its threads write the tiles.  Throws DataError.
PreparedData prepare(const Config& config, const Dataset& dataset, Communicator& communicator,
                     ThreadPool& pool);

}  // namespace ossau
