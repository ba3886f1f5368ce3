#include "train/ranking.hpp"

#include <hwy/contrib/sort/vqsort.h>

#include <cstddef>
#include <limits>

#include "arith/bits.hpp"
#include "arith/wide_sum.hpp"

namespace ossau {

std::int64_t ranking_key(float score, bool positive) {
  // Adding +0 turns -0 into +0.
  const auto bits = bit_copy<std::int32_t>(score + 0.0f);
  const std::int64_t ordered = bits < 0 ? bits ^ INT32_MAX : bits;
  return ordered * 2 + (positive ? 1 : 0);
}

double area_under_curve(std::span<std::int64_t> keys) {
  hwy::Sorter()(keys.data(), keys.size(), hwy::SortAscending());
  Int128 twice_ordered = 0;  // twice the pairs in order; a tie counts once
  std::int64_t negatives = 0;
  std::int64_t positives = 0;
  for (std::size_t i = 0; i < keys.size();) {
    std::int64_t tied[2] = {0, 0};
    const std::int64_t score = keys[i] >> 1;
    for (; i < keys.size() && keys[i] >> 1 == score; ++i) ++tied[keys[i] & 1];
    twice_ordered += Int128{tied[1]} * (2 * negatives + tied[0]);
    negatives += tied[0];
    positives += tied[1];
  }
  if (negatives == 0 || positives == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(twice_ordered) /
         (2.0 * static_cast<double>(positives) * static_cast<double>(negatives));
}

}  // namespace ossau
