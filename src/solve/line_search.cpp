#include "solve/line_search.hpp"

#include <array>
#include <cmath>
#include <cstddef>

namespace ossau {
namespace {

// A search along kept scores is cheap: it goes near to the line's minimum.
constexpr double kSearchedSlope = 0.1;
constexpr int kRounds = 12;

}  // namespace

// Between the last step known to go down and the first one known not to.
double search(Objective& objective, const Line& line, double slope, double guess) {
  double low = 0;
  double high = INFINITY;
  std::array<float, kMostLineSteps> steps{};
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t k = 0; k < steps.size(); ++k) {
      const double share = static_cast<double>(k + 1) / static_cast<double>(steps.size() + 1);
      const double grown = (low > 0 ? 2 * low : guess / 16) * std::ldexp(1.0, static_cast<int>(k));
      steps[k] = static_cast<float>(std::isinf(high) ? grown : low + share * (high - low));
    }
    const auto at = objective.derivatives(line, steps);
    for (std::size_t k = 0; k < steps.size(); ++k) {
      const auto t = static_cast<double>(steps[k]);
      if (at[k].finite && std::fabs(at[k].first) <= kSearchedSlope * std::fabs(slope)) return t;
      if (!at[k].finite || at[k].first > 0) {
        high = t;
        break;
      }
      low = t;
    }
  }
  return low;
}

}  // namespace ossau
