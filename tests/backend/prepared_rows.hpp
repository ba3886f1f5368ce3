#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/backend.hpp"
#include "core/rank.hpp"
#include "core/thread_pool.hpp"
#include "support/tables.hpp"

namespace ossau::test {

/// Rows ready for a backend, with the setup that goes with them.
struct PreparedRows {
  TileSet tiles;
  ModelSetup setup;
};

/// weight_scale: see make_tiles().  rank: whose tiles.
inline PreparedRows prepare_table(const Table& table, std::int64_t columns, Layout layout,
                                  double weight_scale = 1.0, RankInfo rank = {}) {
  ColumnRanges ranges(columns);
  for (std::int64_t i = 0; i < table.rows(); ++i) ranges.add(table, i);
  ranges.include_zeros(table.rows());
  const ColumnTransform transform =
      make_transform(ranges, nullptr, table.rows(), false, make_schema(columns));
  const Shards shards(table.rows(), 4);
  PreparedRows prepared;
  ThreadPool pool(1);
  prepared.tiles = make_tiles(Rows(table), shards, shards.tiles_of_rank(rank), transform, layout,
                              {}, weight_scale, pool);
  const std::array<Int128, 2> weights = sums_of_weights(prepared.tiles);
  prepared.tiles.total_weight = wide_value(weights[0] + weights[1]);
  prepared.setup.exponent_power = transform.exponent_power;
  return prepared;
}

inline PreparedRows prepare_rows(const TableShape& shape, Layout layout) {
  return prepare_table(make_table(shape), shape.columns, layout, shape.weighted ? 0.5 : 1.0);
}

/// A row of `entries` different features, spread over the columns, of any order of sizes.
inline void add_spread_row(Table& table, std::int64_t columns, std::int64_t entries, bool ones) {
  const auto row = static_cast<std::uint64_t>(table.rows());
  for (std::int64_t k = 0; k < entries; ++k) {
    const double place = uniform(7 + row, static_cast<std::uint64_t>(k));
    const std::int64_t begin = columns * k / entries;
    const std::int64_t room = columns * (k + 1) / entries - begin;
    const std::int64_t feature =
        begin + static_cast<std::int64_t>(static_cast<double>(room) * place);
    const double x = 4 * uniform(31 + row, static_cast<std::uint64_t>(k)) - 1.9;
    table.index.push_back(static_cast<std::uint32_t>(feature));
    table.value.push_back(ones ? 1.0 : x);
  }
  table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
  table.label.push_back(uniform(3, row) < 0.4 ? 1 : 0);
}

inline std::vector<TileSlice> every_tile(const Shards& shards) {
  std::vector<TileSlice> slices;
  for (std::int64_t tile = 0; tile < shards.tiles(); ++tile) {
    slices.push_back({tile, 0, static_cast<std::int32_t>(shards.rows_in_tile(tile))});
  }
  return slices;
}

inline std::vector<double> random_weights(std::int64_t features, double size) {
  std::vector<double> weights;
  for (std::int64_t j = 0; j <= features; ++j) {
    weights.push_back(size * (uniform(5, static_cast<std::uint64_t>(j)) - 0.5));
  }
  return weights;
}

// What scores rows: weights in the columns' stored scale, rounded once.
inline std::vector<float> scoring_weights(const std::vector<double>& weights,
                                          const ModelSetup& setup) {
  std::vector<float> scoring;
  for (std::size_t j = 0; j + 1 < weights.size(); ++j) {
    scoring.push_back(static_cast<float>(weights[j] * setup.exponent_power[j]));
  }
  scoring.push_back(static_cast<float>(weights.back()));
  return scoring;
}

}  // namespace ossau::test
