#pragma once

#include <cstdint>
#include <span>

#include "arith/ranking_key.hpp"
#include "arith/wide_sum.hpp"

namespace ossau {

/// Pairs of a positive and a negative row by the order of their scores.
struct PairCounts {
  Int128 twice_ordered = 0;  // twice the pairs in the right order; a tie counts once
  std::int64_t negatives = 0;
  std::int64_t positives = 0;
};

/// Of the rows with these keys, which it sorts.
PairCounts count_pairs(std::span<std::int64_t> keys);

/// Area under the ROC curve: the share of pairs in the right order, ties one half.  NaN where a
/// class has no row.  Source: Mann and Whitney, 1947.
double area_under_curve(const PairCounts& counts);

}  // namespace ossau
