#pragma once

#include <cmath>
#include <cstdint>

#include "solve/solve_samples.hpp"

namespace ossau::test {

/// Rows with, at random, weights, zeros, a constant column, one that a single row has, and one that
/// is the sum of two others.
inline SolverSample random_sample(std::uint64_t seed) {
  const auto chance = [&](std::uint64_t k) { return uniform(1000 + seed, k); };
  const TableShape shape{.rows = 40 + static_cast<std::int64_t>(200 * chance(0)),
                         .columns = 3 + static_cast<std::int64_t>(6 * chance(1)),
                         .density = chance(2) < 0.5 ? 1.0 : 0.4,
                         .ones = chance(3) < 0.2,
                         .weighted = chance(4) < 0.5,
                         .column_factor = chance(5) < 0.5 ? 1 : 1.6,
                         .seed = seed};
  const bool constant = chance(6) < 0.3;
  const bool rare = chance(7) < 0.3;
  const bool collinear = chance(8) < 0.3;
  const Table plain = make_table(shape);
  SolverSample sample{.table = {},
                      .columns = shape.columns + 3,
                      .layout = chance(9) < 0.5 ? Layout::kDense : Layout::kSparse,
                      .l2 = std::pow(10, -6 * chance(10)),
                      .intercept = chance(11) < 0.7};
  Table& table = sample.table;
  table.label = plain.label;
  table.weight = plain.weight;
  for (std::int64_t i = 0; i < plain.rows(); ++i) {
    const auto add = [&](std::int64_t column, double value) {
      if (value == 0) return;
      table.index.push_back(static_cast<std::uint32_t>(column));
      table.value.push_back(value);
    };
    for (std::int64_t j = 0; j < shape.columns; ++j) add(j, entry(plain, i, j));
    if (constant) add(shape.columns, 2.5);
    if (rare && i == 17) add(shape.columns + 1, 3);
    if (collinear) add(shape.columns + 2, entry(plain, i, 0) + entry(plain, i, 1));
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
  }
  return sample;
}

}  // namespace ossau::test
