#pragma once

#include <array>
#include <cstdint>

#include "arith/permutation.hpp"
#include "data/table.hpp"

namespace ossau {

/// Some rows of a table in the order in which they are tiled.
class Rows {
 public:
  /// Every row in file order.
  explicit Rows(const Table& table)
      : table_(&table), order_(0, 0), shuffled_(false), first_(0), count_(table.rows()) {}

  /// Places [first, first + count) of the order that `shuffle` (or not) and `seed` give.
  Rows(const Table& table, bool shuffle, std::uint64_t seed, std::int64_t first, std::int64_t count)
      : table_(&table),
        order_(static_cast<std::uint64_t>(table.rows()), make_key(seed, kShuffleKey, 0)),
        shuffled_(shuffle),
        first_(first),
        count_(count) {}

  const Table& table() const { return *table_; }
  std::int64_t count() const { return count_; }

  /// The table's row at a place in [0, count()).
  std::int64_t row_at(std::int64_t place) const {
    const std::int64_t position = first_ + place;
    return shuffled_ ? static_cast<std::int64_t>(order_(static_cast<std::uint64_t>(position)))
                     : position;
  }

 private:
  static constexpr std::uint64_t kShuffleKey = 0x73687566666c65;  // "shuffle": unlike any epoch

  const Table* table_;
  Permutation order_;
  bool shuffled_;
  std::int64_t first_;
  std::int64_t count_;
};

/// What a row counts: sample weight times the weight of its class.
struct RowWeights {
  std::array<double, 2> of_class = {1, 1};

  double operator()(const Table& table, std::int64_t row) const {
    const auto i = static_cast<std::size_t>(row);
    return (table.weight.empty() ? 1.0 : table.weight[i]) * of_class[table.label[i]];
  }
};

}  // namespace ossau
