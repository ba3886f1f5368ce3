#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/row_plan.hpp"
#include "data/shards.hpp"
#include "data/share.hpp"

namespace ossau {

/// The rows that a process keeps out of n, numbered among themselves in the order of the files.
/// Two bits a row: a mark, and its part of a count for each word of marks.
class KeptRows {
 public:
  /// The rows of `share` among `rows`, training rows and held-out ones each sharded by themselves.
  KeptRows(std::int64_t rows, const RowPlan& plan, const DataShare& share)
      : rows_(rows), marks_(static_cast<std::size_t>(rows / 64 + 1)), before_(marks_.size() + 1) {
    const RowOrder order = plan.order(rows);
    const std::int64_t held_out = std::min(rows, plan.held_out(rows));
    mark(order, 0, rows - held_out, share);
    mark(order, rows - held_out, held_out, share);
    for (std::size_t i = 0; i < marks_.size(); ++i) {
      before_[i + 1] = before_[i] + std::popcount(marks_[i]);
    }
  }

  /// n: of all processes.
  std::int64_t rows() const { return rows_; }
  /// Of this process.
  std::int64_t count() const { return before_.back(); }

  bool has(std::int64_t row) const {
    return row < rows_ && (marks_[word_of(row)] & mark_of(row)) != 0;
  }

  /// The number of a row that is kept, in [0, count()).
  std::int64_t index_of(std::int64_t row) const {
    const std::uint64_t earlier = marks_[word_of(row)] & (mark_of(row) - 1);
    return before_[word_of(row)] + std::popcount(earlier);
  }

 private:
  static std::size_t word_of(std::int64_t row) { return static_cast<std::size_t>(row) / 64; }
  static std::uint64_t mark_of(std::int64_t row) { return std::uint64_t{1} << (row % 64); }

  // Only this process's places are visited: 1/N of the work, not a look at every row.
  void mark(const RowOrder& order, std::int64_t first, std::int64_t count, const DataShare& share) {
    const Shards shards(count, share.virtual_shards);
    const Range places = shards.rows_of_tiles(shards.tiles_of_rank(share.process));
    for (std::int64_t place = places.begin; place < places.end; ++place) {
      const std::int64_t row = order.row_at(first + place);
      marks_[word_of(row)] |= mark_of(row);
    }
  }

  std::int64_t rows_;
  std::vector<std::uint64_t> marks_;
  std::vector<std::int64_t> before_;  // [words + 1], kept rows before each word
};

}  // namespace ossau
