#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace ossau {

/// The middle one of `values`, the upper one of two; not of none.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace ossau
