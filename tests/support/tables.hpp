#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arith/permutation.hpp"
#include "data/table.hpp"

namespace ossau::test {

/// A number in [0, 1), the same on every machine.
inline double uniform(std::uint64_t seed, std::uint64_t i) {
  return static_cast<double>(make_key(seed, i, 0) >> 11) * 0x1p-53;
}

/// What a generated table looks like.
struct TableShape {
  std::int64_t rows = 100;
  std::int64_t columns = 5;
  double density = 1;        // share of entries that are not zero
  bool ones = false;         // every entry is 1
  bool weighted = false;     // row weights in [0, 2)
  double column_factor = 1;  // column j is multiplied by column_factor^j
  std::uint64_t seed = 1;
};

/// Rows whose labels follow a random linear rule with some noise.
inline Table make_table(const TableShape& shape) {
  Table table;
  std::uint64_t k = 0;
  const auto next = [&] { return uniform(shape.seed, k++); };
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    double score = 0;
    double factor = 1;
    for (std::int64_t j = 0; j < shape.columns; ++j, factor *= shape.column_factor) {
      const bool present = next() < shape.density;
      const double x = shape.ones ? 1.0 : 4 * next() - 1.5;
      if (!present || x == 0) continue;
      table.index.push_back(static_cast<std::uint32_t>(j));
      table.value.push_back(x * factor);
      score += x * (uniform(99, static_cast<std::uint64_t>(j)) - 0.5);
    }
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
    table.label.push_back(score + next() - 0.5 > 0 ? 1 : 0);
    if (shape.weighted) table.weight.push_back(2 * next());
  }
  return table;
}

inline Schema make_schema(std::int64_t columns) {
  Schema schema;
  schema.classes = {"0", "1"};
  for (std::int64_t j = 0; j < columns; ++j) {
    schema.feature_names.push_back("f" + std::to_string(j + 1));
  }
  return schema;
}

/// The entry of a table, zeros included.
inline double entry(const Table& table, std::int64_t row, std::int64_t column) {
  const auto i = static_cast<std::size_t>(row);
  for (auto k = static_cast<std::size_t>(table.row_start[i]);
       k < static_cast<std::size_t>(table.row_start[i + 1]); ++k) {
    if (table.index[k] == static_cast<std::uint32_t>(column)) return table.value[k];
  }
  return 0;
}

}  // namespace ossau::test
