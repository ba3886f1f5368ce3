// How fast gradients are added up: a full pass with losses, beside a bare pass over the same rows.

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "ceiling.hpp"
#include "loaded_rows.hpp"
#include "program.hpp"
#include "samples.hpp"

namespace ossau::bench {
namespace {

using MakeRows = std::function<TileSet()>;

void measure_gradient(benchmark::State& state, const MakeRows& make_rows, std::int64_t threads) {
  TileSet rows = make_rows();
  Pair pair = full_pass_pair(rows, threads);
  LoadedRows loaded = load_rows(std::move(rows), threads);
  pair.work = repeated([&] { loaded.full_pass(); });
  measure_pairs(state, pair);
}

void add_gradient(const Effort& effort, const std::string& rows, const MakeRows& make_rows) {
  for (const std::int64_t threads : effort.threads) {
    add_row(effort, fmt::format("gradient/{}/threads={}", rows, threads),
            [=](benchmark::State& state) { measure_gradient(state, make_rows, threads); });
  }
}

MakeRows dense_rows(std::int64_t bytes, std::int64_t features) {
  const std::int64_t tiles = std::max<std::int64_t>(1, bytes / (features * kTileRows * 4));
  return [=] { return make_dense_rows(tiles * kTileRows, features); };
}

}  // namespace

void add_rows(const Effort& effort) {
  for (const std::int64_t features : {28, 100, 784}) {
    add_gradient(effort, fmt::format("dense/d={}", features),
                 dense_rows(effort.memory_bytes, features));
  }
  for (const std::int64_t features : {28, 784}) {
    add_gradient(effort, fmt::format("dense_in_cache/d={}", features),
                 dense_rows(effort.cache_bytes, features));
  }
  SparseShape shape{.rows = effort.size(1'000'000, 1'000)};
  add_gradient(effort, "sparse_ones/d=1000000", [=] { return make_sparse_rows(shape); });
  shape.values = true;
  add_gradient(effort, "sparse_values/d=1000000", [=] { return make_sparse_rows(shape); });
}

}  // namespace ossau::bench
