#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.hpp"
#include "data/batch_order.hpp"
#include "train/evaluation.hpp"

namespace ossau::bench {

/// Rows inside the backend that this machine gets, as training has them.
struct LoadedRows {
  RowSetInfo info;
  std::unique_ptr<Backend> backend;

  /// Sums over every row.
  void full_pass() {
    backend->gradient(RowSet::kTrain, backend->every_tile(RowSet::kTrain), info.fixed_bits);
  }
  void scored_pass() { backend->gradient_and_scores(RowSet::kTrain, info.fixed_bits); }
};

/// setup: of the model, without its features' exponents.
LoadedRows load_rows(TileSet rows, std::int64_t threads, ModelSetup setup = {});

/// The batches of an order's first epoch, all rows being here.
std::vector<std::vector<TileSlice>> first_epoch(BatchOrder order, Range tiles);

}  // namespace ossau::bench
