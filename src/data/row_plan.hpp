#pragma once

#include <algorithm>
#include <cstdint>

#include "arith/permutation.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// The order in which rows of a file are tiled.
class RowOrder {
 public:
  RowOrder(std::int64_t rows, bool shuffle, std::uint64_t seed)
      : order_(static_cast<std::uint64_t>(rows), make_key(seed, kShuffleKey, 0)),
        shuffled_(shuffle) {}

  /// The row at a place, both in [0, rows).
  std::int64_t row_at(std::int64_t place) const {
    return shuffled_ ? static_cast<std::int64_t>(order_(static_cast<std::uint64_t>(place))) : place;
  }

 private:
  static constexpr std::uint64_t kShuffleKey = 0x73687566666c65;  // "shuffle": unlike any epoch

  Permutation order_;
  bool shuffled_;
};

/// How the rows of some files are arranged: shuffled or not, then the last ones held out.
struct RowPlan {
  bool shuffle = false;
  std::uint64_t seed = 0;
  double held_out_fraction = 0;

  RowOrder order(std::int64_t rows) const { return {rows, shuffle, seed}; }

  /// Of so many rows, those held out; at least one where any are wanted.
  std::int64_t held_out(std::int64_t rows) const {
    if (!(held_out_fraction > 0)) return 0;
    const auto share = static_cast<std::int64_t>(held_out_fraction * static_cast<double>(rows));
    return std::max<std::int64_t>(share, 1);
  }
};

/// The arrangement of the training files' rows; that of validation files is RowPlan{}.
inline RowPlan training_plan(const DataConfig& config) {
  return {config.shuffle, config.shuffle_seed, config.validation_fraction};
}

}  // namespace ossau
