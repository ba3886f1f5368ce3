#include "backend/ranking.hpp"

#include <hwy/contrib/sort/vqsort.h>

#include <cstddef>
#include <limits>

namespace ossau {

PairCounts count_pairs(std::span<std::int64_t> keys) {
  hwy::Sorter()(keys.data(), keys.size(), hwy::SortAscending());
  PairCounts counts;
  for (std::size_t i = 0; i < keys.size();) {
    std::int64_t tied[2] = {0, 0};
    const std::int64_t score = keys[i] >> 1;
    for (; i < keys.size() && keys[i] >> 1 == score; ++i) ++tied[keys[i] & 1];
    counts.twice_ordered += Int128{tied[1]} * (2 * counts.negatives + tied[0]);
    counts.negatives += tied[0];
    counts.positives += tied[1];
  }
  return counts;
}

double area_under_curve(const PairCounts& counts) {
  if (counts.negatives == 0 || counts.positives == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return static_cast<double>(counts.twice_ordered) /
         (2.0 * static_cast<double>(counts.positives) * static_cast<double>(counts.negatives));
}

}  // namespace ossau
