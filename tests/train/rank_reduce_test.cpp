#include "train/rank_reduce.hpp"

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/prepared_rows.hpp"
#include "backend/reference_sums.hpp"
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

// One rank was interrupted, another not: all hear of it, and the sums are those of all rows.
TEST(ReduceSumsAndNote, TellsEveryRankOfEveryNote) {
  const auto gradient = [](std::int64_t ranks, std::int64_t note_of_last) {
    std::vector<std::int64_t> sums;
    on_ranks(ranks, [&](Communicator& communicator) {
      test::PreparedRows prepared =
          test::prepare_rows({.rows = 500, .columns = 33}, Layout::kDense);
      const auto slices = test::every_tile(prepared.tiles.shards);
      RunConfig config;
      config.device = Device::kCpu;
      const auto backend =
          make_backend(config, {}, 1, {std::move(prepared.tiles), {}}, prepared.setup);
      backend->set_weights(std::vector<double>(34, 0.5));
      const auto rank = static_cast<std::size_t>(communicator.rank().rank);
      const std::size_t share = slices.size() / static_cast<std::size_t>(ranks);
      const std::size_t end =
          rank + 1 == static_cast<std::size_t>(ranks) ? slices.size() : (rank + 1) * share;
      for (int pass = 0; pass < 2; ++pass) {
        backend->gradient(RowSet::kTrain,
                          std::span(slices).subspan(rank * share, end - rank * share), 44);
        const std::int64_t mine = end == slices.size() ? note_of_last : 0;
        EXPECT_EQ(reduce_sums_and_note(*backend, communicator, mine, "sums"), note_of_last);
      }
      const auto host = backend->sums(MemorySpace::kHost).host();
      if (rank == 0) sums.assign(host.begin(), host.end());
    });
    return sums;
  };
  const auto expected = gradient(1, 0);
  for (const std::int64_t ranks : {1, 2, 3}) {
    EXPECT_EQ(gradient(ranks, 0), expected);
    EXPECT_EQ(gradient(ranks, 1), expected);
  }
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

TEST(GatherTexts, GivesEveryRankAllTextsInOrder) {
  for (const std::int64_t ranks : {1, 2, 5}) {
    std::vector<std::string> expected;
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      // Binary, of any length; rank 1 has nothing to say.
      expected.emplace_back(static_cast<std::size_t>(rank == 1 ? 0 : 3 * rank + 5), '\0');
      if (rank != 1) expected.back().back() = static_cast<char>(200 + rank);
    }
    on_ranks(ranks, [&](Communicator& communicator) {
      const auto rank = static_cast<std::size_t>(communicator.rank().rank);
      EXPECT_EQ(gather_texts(communicator, expected[rank], "test"), expected);
      EXPECT_EQ(gather_texts(communicator, "", "test"), std::vector<std::string>(expected.size()));
    });
  }
}

}  // namespace
}  // namespace ossau
