#include "backend/ranking.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "support/tables.hpp"

namespace ossau {
namespace {

double auc_of(const std::vector<std::pair<float, bool>>& rows) {
  std::vector<std::int64_t> keys;
  for (const auto& [score, positive] : rows) keys.push_back(ranking_key(score, positive));
  return area_under_curve(count_pairs(keys));
}

TEST(AreaUnderCurve, IsOneForPerfectAndZeroForReversedOrder) {
  EXPECT_EQ(auc_of({{-2, false}, {-1, false}, {0.5, true}, {3, true}}), 1.0);
  EXPECT_EQ(auc_of({{-2, true}, {-1, true}, {0.5, false}, {3, false}}), 0.0);
}

TEST(AreaUnderCurve, CountsTiesAsOneHalf) {
  EXPECT_EQ(auc_of({{1, true}, {1, false}}), 0.5);
  EXPECT_EQ(auc_of({{1, true}, {1, false}, {2, true}, {0, false}}), 0.875);
  EXPECT_EQ(auc_of({{0.0f, true}, {-0.0f, false}}), 0.5);
}

TEST(AreaUnderCurve, IsNotANumberForOneClass) {
  EXPECT_TRUE(std::isnan(auc_of({{1, true}, {2, true}})));
  EXPECT_TRUE(std::isnan(auc_of({})));
}

TEST(AreaUnderCurve, AgreesWithCountingEveryPair) {
  std::vector<std::pair<float, bool>> rows;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const double score = std::floor(20 * test::uniform(1, i)) - 10;
    rows.emplace_back(static_cast<float>(score), test::uniform(2, i) + score / 40 > 0.5);
  }
  double ordered = 0;
  double pairs = 0;
  for (const auto& [a, a_positive] : rows) {
    for (const auto& [b, b_positive] : rows) {
      if (!a_positive || b_positive) continue;
      pairs += 1;
      ordered += a > b ? 1 : a == b ? 0.5 : 0;
    }
  }
  EXPECT_EQ(auc_of(rows), ordered / pairs);
}

}  // namespace
}  // namespace ossau
