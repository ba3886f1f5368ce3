#pragma once

#include <array>
#include <cstdint>

#include "data/row_plan.hpp"
#include "data/table.hpp"

namespace ossau {

/// Some rows of all processes in the order in which they are tiled; the table holds at least those
/// that this process asks for.
class Rows {
 public:
  /// Every row in file order.
  explicit Rows(const Table& table) : Rows(table, RowPlan{}, 0, table.all_rows()) {}

  /// Places [first, first + count) of the order that `plan` gives.
  Rows(const Table& table, const RowPlan& plan, std::int64_t first, std::int64_t count)
      : table_(&table), order_(plan.order(table.all_rows())), first_(first), count_(count) {}

  const Table& table() const { return *table_; }
  std::int64_t count() const { return count_; }

  /// The table's row at a place in [0, count()).
  std::int64_t row_at(std::int64_t place) const {
    return table_->index_of(order_.row_at(first_ + place));
  }

 private:
  const Table* table_;
  RowOrder order_;
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
