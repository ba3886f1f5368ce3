// How fast one thread adds up gradients of dense rows, next to how fast it can read the same
// memory.
//   build/release/bin/gradient_benchmark --benchmark_repetitions=9
// bytes_per_second counts the stored features once, 4 bytes each, in both; the gradient's share of
// the ceiling is the quotient of the two medians.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <variant>
#include <vector>

#include "arith/fixed_point.hpp"
#include "backend/backend.hpp"
#include "data/tiles.hpp"

namespace ossau {
namespace {

constexpr std::int64_t kBytes = std::int64_t{256} << 20;  // far beyond every cache
constexpr std::int64_t kRowsInTile = 64;

// Full tiles of features in [-1, 1) and alternating labels.
TileSet make_rows(std::int64_t features) {
  const std::int64_t tiles = kBytes / (features * kRowsInTile * 4);
  const std::int64_t rows = tiles * kRowsInTile;
  TileSet set;
  set.shards = Shards(rows, 1);
  set.owned = {0, tiles};
  set.features = features;
  set.total_weight = static_cast<double>(rows);
  set.signed_weight.resize(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < set.signed_weight.size(); ++i) {
    set.signed_weight[i] = i % 2 == 0 ? 1.0F : -1.0F;
  }
  DenseTiles dense;
  dense.values.resize(static_cast<std::size_t>(rows * features));
  std::uint32_t state = 1;
  for (float& value : dense.values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31F;
  }
  set.storage = std::move(dense);
  return set;
}

void full_gradient(benchmark::State& state) {
  const std::int64_t features = state.range(0);
  TileSet rows = make_rows(features);
  std::vector<TileSlice> slices;
  for (std::int64_t tile = 0; tile < rows.owned.end; ++tile) slices.push_back({tile, 0, 64});
  const int bits = fixed_point_bits(rows.owned.end * kRowsInTile);
  const std::int64_t bytes = rows.owned.end * kRowsInTile * features * 4;

  ModelSetup setup;
  setup.exponent_power.assign(static_cast<std::size_t>(features), 1.0);
  const std::unique_ptr<Backend> backend =
      make_backend(RunConfig{}, 1, {.train = std::move(rows), .validation = {}}, setup);
  backend->set_weights(std::vector<double>(static_cast<std::size_t>(features) + 1, 0.01));
  while (state.KeepRunning()) backend->gradient(RowSet::kTrain, slices, bits);
  state.SetBytesProcessed(state.iterations() * bytes);
  state.SetLabel(backend->simd());
}
BENCHMARK(full_gradient)->Arg(16)->Arg(64)->Arg(256)->Arg(1024)->Unit(benchmark::kMillisecond);

void read_ceiling(benchmark::State& state) {
  const std::vector<std::int64_t> memory(static_cast<std::size_t>(kBytes) / 8, 1);
  while (state.KeepRunning()) {
    benchmark::DoNotOptimize(std::accumulate(memory.begin(), memory.end(), std::int64_t{0}));
  }
  state.SetBytesProcessed(state.iterations() * kBytes);
}
BENCHMARK(read_ceiling)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ossau
