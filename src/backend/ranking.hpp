#pragma once

#include <cstdint>
#include <span>

#include "arith/bits.hpp"
#include "arith/contract.hpp"
#include "arith/wide_sum.hpp"

namespace ossau {

/// A score and its row's class as one integer that sorts by score; +0 and -0 are the same.
OSSAU_HOST_DEVICE inline std::int64_t ranking_key(float score, bool positive) {
  // Adding +0 turns -0 into +0.
  const auto bits = bit_copy<std::int32_t>(score + 0.0f);
  const std::int64_t ordered = bits < 0 ? bits ^ INT32_MAX : bits;
  return ordered * 2 + (positive ? 1 : 0);
}

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
