#include "loaded_rows.hpp"

#include <cstddef>
#include <utility>
#include <vector>

#include "ossau/config.hpp"

namespace ossau::bench {

LoadedRows load_rows(TileSet rows, std::int64_t threads, ModelSetup setup) {
  const auto features = static_cast<std::size_t>(rows.features);
  setup.exponent_power.assign(features, 1.0);
  RowSetInfo info(RowSet::kTrain, rows);
  std::unique_ptr<Backend> backend = make_backend(
      RunConfig{}, {}, threads, {.train = std::move(rows), .validation = {}}, std::move(setup));
  // Small enough that no score saturates, not zero, which some processors treat as a special case.
  backend->set_weights(std::vector<double>(features + 1, 0.01));
  return {info, std::move(backend)};
}

std::vector<std::vector<TileSlice>> first_epoch(BatchOrder order, Range tiles) {
  order.start_epoch(0);
  std::vector<std::vector<TileSlice>> batches(static_cast<std::size_t>(order.steps_per_epoch()));
  for (std::size_t s = 0; s < batches.size(); ++s) {
    order.select(static_cast<std::int64_t>(s), tiles, batches[s]);
  }
  return batches;
}

}  // namespace ossau::bench
