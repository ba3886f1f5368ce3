#pragma once

#include <cstdint>
#include <span>

namespace ossau {

/// A score and its row's class as one integer that sorts by score; +0 and -0 are the same.
std::int64_t ranking_key(float score, bool positive);

/// Area under the ROC curve from the keys of all rows, which it sorts: the share of (positive,
/// negative) pairs in the right order, ties one half, by integer counts.  NaN where a class has no
/// row.  Source: Mann and Whitney, 1947.
double area_under_curve(std::span<std::int64_t> keys);

}  // namespace ossau
