// What moving the weights costs: all of them, by every rule, beside a bare read of as many bytes as
// the rule must read and write; those that a batch touched, beside a bare gather and scatter of it.

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arith/fixed_point.hpp"
#include "ceiling.hpp"
#include "data/batch_order.hpp"
#include "loaded_rows.hpp"
#include "program.hpp"
#include "samples.hpp"

namespace ossau::bench {
namespace {

struct Rule {
  const char* name;
  UpdateRule rule;
  int state_vectors;  // [d] of float64 besides the weights
};

constexpr Rule kRules[] = {
    {"descent", UpdateRule::kDescent, 0},   {"momentum", UpdateRule::kMomentum, 1},
    {"nesterov", UpdateRule::kNesterov, 1}, {"adaptive", UpdateRule::kAdaptive, 1},
    {"scaled", UpdateRule::kScaled, 0},
};

// Reads a sum and a column's power of two, reads and writes the weight and the state, writes the
// weight that scores rows.
double bytes_per_feature(const Rule& rule) {
  return 8 + 8 + (1 + rule.state_vectors) * (8 + 8) + 4;
}

// So small a rate that the weights stay ordinary numbers, however often they are moved.
StepParameters small_step(const LoadedRows& loaded) {
  return {.rate = 1e-9, .gradient_factor = loaded.info.gradient_factor()};
}

void measure_update(benchmark::State& state, const Rule& rule, std::int64_t features,
                    std::int64_t threads) {
  ModelSetup setup;
  setup.rule = rule.rule;
  setup.settings = {{0.9, 0.999, 1e-8}};
  setup.penalty.l2 = 1e-6;
  LoadedRows loaded = load_rows(make_covering_rows(features), threads, std::move(setup));
  const StepParameters step = small_step(loaded);
  const double bytes = bytes_per_feature(rule) * static_cast<double>(features);
  // Every feature has a sum, in one place, whichever thread found it.
  const auto prepare = [&] {
    loaded.full_pass();
    loaded.backend->sums(MemorySpace::kHost);
  };
  measure_pairs(state, {.work = repeated_after(prepare, [&] { loaded.backend->update(step); }),
                        .reference = bare_read(bytes, threads),
                        .reference_name = "bare read",
                        .bytes = bytes,
                        .reference_bytes = bytes,
                        .entries = static_cast<double>(features),
                        .threads = threads});
}

using Batches = std::vector<std::vector<TileSlice>>;

// Different features of a batch, on average.
double touched_features(const SparseTiles& tiles, std::int64_t features, const Batches& batches) {
  std::vector<std::size_t> last_batch(static_cast<std::size_t>(features), batches.size());
  double touched = 0;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    for (const TileSlice& slice : batches[b]) {
      const auto tile = static_cast<std::size_t>(slice.tile);
      for (auto row = static_cast<std::size_t>(slice.row_begin);
           row < static_cast<std::size_t>(slice.row_end); ++row) {
        const std::size_t row_length = tiles.length[tile * kTileRows + row];
        for (std::size_t e = 0; e < row_length; ++e) {
          const auto slot = (static_cast<std::size_t>(tiles.slice_start[tile]) + e) * kTileRows;
          std::size_t& last = last_batch[tiles.index[slot + row]];
          if (last != b) ++touched;
          last = b;
        }
      }
    }
  }
  return touched / static_cast<double>(batches.size());
}

// Of a batch's touched features alone, found by a gradient that is not timed.
void measure_touched(benchmark::State& state, const SparseShape& shape, std::int64_t batch_rows,
                     std::int64_t threads) {
  // Reads the feature's number in the list, reads and clears its sum, reads and writes the weight,
  // writes the weight that scores rows; columns of ones have no powers to read.
  constexpr double kBytesPerFeature = 4 + (8 + 8) + (8 + 8) + 4;
  TileSet rows = make_sparse_rows(shape);
  const Batches batches = first_epoch(BatchOrder(rows.shards, batch_rows, 0), rows.owned);
  const auto steps = static_cast<double>(batches.size());
  const double touched =
      touched_features(std::get<SparseTiles>(rows.storage), rows.features, batches);
  const Timed bare_epoch_s = bare_pass(rows, threads);
  ModelSetup setup;
  setup.rule = UpdateRule::kScaled;
  LoadedRows loaded = load_rows(std::move(rows), threads, std::move(setup));
  const StepParameters step = small_step(loaded);
  const int fixed_bits = fixed_point_bits(batch_rows);
  const auto update_s = [&] {
    double seconds = 0;
    for (const std::vector<TileSlice>& batch : batches) {
      loaded.backend->gradient(RowSet::kTrain, batch, fixed_bits);
      seconds += seconds_of([&] { loaded.backend->update(step); });
    }
    return seconds / steps;
  };
  measure_pairs(state, {.work = update_s,
                        .reference = [&] { return bare_epoch_s() / steps; },
                        .reference_name = "bare gather and scatter",
                        .bytes = kBytesPerFeature * touched,
                        .entries = touched,
                        .threads = threads});
}

}  // namespace

void add_rows(const Effort& effort) {
  for (const std::int64_t features : {1'000, 1'000'000}) {
    for (const Rule& rule : kRules) {
      for (const std::int64_t threads : effort.threads) {
        // Narrow models are not worth another thread.
        if (threads > 1 && features < 100'000) continue;
        add_row(effort, fmt::format("update/{}/d={}/threads={}", rule.name, features, threads),
                [=](benchmark::State& state) { measure_update(state, rule, features, threads); });
      }
    }
  }
  const SparseShape shape{.rows = effort.size(262'144, 20'000)};
  constexpr std::int64_t kBatchRows = 1'024;
  for (const std::int64_t threads : effort.threads) {
    add_row(effort,
            fmt::format("update/scaled_touched/d={}/batch={}/threads={}", shape.features,
                        kBatchRows, threads),
            [=](benchmark::State& state) { measure_touched(state, shape, kBatchRows, threads); });
  }
}

}  // namespace ossau::bench
