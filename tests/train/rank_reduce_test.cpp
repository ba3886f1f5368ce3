#include "train/rank_reduce.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "comm/threads.hpp"
#include "support/tables.hpp"

namespace ossau {
namespace {

template <class Work>
void on_ranks(std::int64_t size, Work&& work) {
  ThreadGroup group(size, 60);
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] { work(*group.communicator(rank)); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(MergeSums, AddsBeyondSixtyFourBitsWithBothSigns) {
  const Int128 large = (Int128{1} << 120) + 12345;
  on_ranks(3, [&](Communicator& communicator) {
    const Int128 rank = communicator.rank().rank;
    std::array<Int128, 4> sums = {large * (rank + 1), -large * (rank + 1), rank - 1, -rank};
    merge_sums(communicator, sums, "test");
    EXPECT_TRUE(sums[0] == large * 6);
    EXPECT_TRUE(sums[1] == -large * 6);
    EXPECT_TRUE(sums[2] == 0);
    EXPECT_TRUE(sums[3] == -3);
  });
}

TEST(MergeStatistics, OfAnySplitAreThoseOfTheWhole) {
  const Table table = test::make_table({.rows = 500, .columns = 5, .density = 0.4});
  ColumnRanges whole(5);
  for (std::int64_t i = 0; i < 500; ++i) whole.add(table, i);
  ColumnMoments moments(whole, test::make_schema(5));
  for (std::int64_t i = 0; i < 500; ++i) moments.add(table, i);
  for (const std::int64_t ranks : {1, 2, 3, 7}) {
    on_ranks(ranks, [&](Communicator& communicator) {
      // Rank 0 of several has no row at all.
      ColumnRanges ranges(5);
      const auto mine = [&](std::int64_t i) {
        return ranks == 1 || 1 + i % (ranks - 1) == communicator.rank().rank;
      };
      for (std::int64_t i = 0; i < 500; ++i) {
        if (mine(i)) ranges.add(table, i);
      }
      merge_ranges(communicator, ranges);
      EXPECT_EQ(ranges.count, whole.count);
      EXPECT_EQ(ranges.min, whole.min);
      EXPECT_EQ(ranges.max, whole.max);
      ColumnMoments part(ranges, test::make_schema(5));
      for (std::int64_t i = 0; i < 500; ++i) {
        if (mine(i)) part.add(table, i);
      }
      merge_moments(communicator, part);
      EXPECT_TRUE(part.sum == moments.sum);
      EXPECT_TRUE(part.square == moments.square);
    });
  }
}

}  // namespace
}  // namespace ossau
