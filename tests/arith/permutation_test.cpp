#include "arith/permutation.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ossau {
namespace {

TEST(Permutation, VisitsEveryElementOnceAndInverts) {
  for (const std::uint64_t n : {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 4097}) {
    for (const std::uint64_t key : {0, 1, 77}) {
      const Permutation permutation(n, key);
      std::vector<bool> seen(n, false);
      for (std::uint64_t i = 0; i < n; ++i) {
        const std::uint64_t element = permutation(i);
        ASSERT_LT(element, n);
        ASSERT_FALSE(seen[element]);
        seen[element] = true;
        ASSERT_EQ(permutation.inverse(element), i);
      }
    }
  }
}

TEST(Permutation, WorksBeyondThirtyTwoBits) {
  const std::uint64_t n = (UINT64_C(1) << 40) + 12345;
  const Permutation permutation(n, 3);
  for (std::uint64_t i = 0; i < n; i += n / 1000) {
    ASSERT_LT(permutation(i), n);
    ASSERT_EQ(permutation.inverse(permutation(i)), i);
  }
}

TEST(Permutation, DependsOnItsKey) {
  const Permutation a(1000, 1);
  const Permutation b(1000, 2);
  int same = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) same += a(i) == b(i) ? 1 : 0;
  EXPECT_LT(same, 20);  // 1 is expected of random permutations
}

// The order is part of the contract: these numbers may change only with kExactVersion.
TEST(Permutation, KeepsItsNumbers) {
  const Permutation permutation(100, make_key(1, 2, 3));
  std::vector<std::uint64_t> first;
  for (std::uint64_t i = 0; i < 8; ++i) first.push_back(permutation(i));
  EXPECT_EQ(first, (std::vector<std::uint64_t>{62, 13, 94, 54, 2, 68, 71, 95}));
}

}  // namespace
}  // namespace ossau
