#include "arith/feature_sum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

namespace ossau {
namespace {

TEST(FeatureSum, OfNothingIsZero) {
  EXPECT_EQ(feature_sum(0, [](std::int64_t) { return 1.0; }), 0.0);
}

TEST(FeatureSum, AddsEveryTermOnce) {
  for (const std::int64_t n : {1, 2, 255, 256, 257, 1000}) {
    const std::int64_t expected = n * (n - 1) / 2;
    EXPECT_EQ(feature_sum(n, [](std::int64_t j) { return static_cast<double>(j); }),
              static_cast<double>(expected));
  }
}

// Pins the tree: 1e16 + 1 rounds to 1e16, so the result shows which terms met first.
TEST(FeatureSum, PairsTermsHalfAChunkApart) {
  std::vector<double> terms(256, 0.0);
  terms[0] = 1e16;
  terms[1] = 1.0;
  terms[128] = 1.0;
  terms[129] = 1.0;
  const auto term = [&](std::int64_t j) { return terms[static_cast<std::size_t>(j)]; };
  EXPECT_EQ(chunk_sum(0, 256, term), 1e16 + 2.0);
}

}  // namespace
}  // namespace ossau
