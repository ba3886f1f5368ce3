#pragma once

#include <cstdint>
#include <memory>

#include "backend/backend.hpp"
#include "train/evaluation.hpp"

namespace ossau::bench {

/// Rows inside the backend that this machine gets, as training has them.
struct LoadedRows {
  RowSetInfo info;
  std::unique_ptr<Backend> backend;

  /// Sums over every row.
  void full_pass() { backend->gradient(RowSet::kTrain, info.slices, info.fixed_bits); }
};

/// setup: of the model, without its features' exponents.
LoadedRows load_rows(TileSet rows, std::int64_t threads, ModelSetup setup = {});

}  // namespace ossau::bench
