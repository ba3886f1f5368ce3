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
      RunConfig{}, threads, {.train = std::move(rows), .validation = {}}, std::move(setup));
  // Small enough that no score saturates, not zero, which some processors treat as a special case.
  backend->set_weights(std::vector<double>(features + 1, 0.01));
  return {std::move(info), std::move(backend)};
}

}  // namespace ossau::bench
