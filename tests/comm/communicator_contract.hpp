#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "comm/communicator.hpp"

namespace ossau::test {

/// How a test runs one function on every rank of some communicator.  Each implementation provides
/// one of these; the contract below is the same for all.
struct CommunicatorCase {
  std::string name;
  std::int64_t size;
  std::function<void(const std::function<void(Communicator&)>& work)> run;
};

class CommunicatorContract : public ::testing::TestWithParam<CommunicatorCase> {};

TEST_P(CommunicatorContract, NumbersItsRanks) {
  std::vector<int> seen(static_cast<std::size_t>(GetParam().size), 0);
  GetParam().run([&](Communicator& communicator) {
    EXPECT_EQ(communicator.rank().size, GetParam().size);
    ++seen[static_cast<std::size_t>(communicator.rank().rank)];
  });
  for (const int times : seen) EXPECT_EQ(times, 1);
}

TEST_P(CommunicatorContract, ReducesIntegersExactly) {
  const std::int64_t size = GetParam().size;
  GetParam().run([&](Communicator& communicator) {
    const std::int64_t rank = communicator.rank().rank;
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{5},
                                    std::size_t{1000}, std::size_t{1025}, std::size_t{70'001}}) {
      std::vector<std::int64_t> sum(count);
      std::vector<std::int64_t> least(count);
      std::vector<std::int64_t> most(count);
      for (std::size_t i = 0; i < count; ++i) {
        sum[i] = (INT64_C(1) << 58) / size + rank * 7 + static_cast<std::int64_t>(i);
        least[i] = -rank * static_cast<std::int64_t>(i);
        most[i] = INT64_MIN + rank;
      }
      all_reduce(communicator, sum, Reduction::kSum, "sum");
      all_reduce(communicator, least, Reduction::kMin, "minimum");
      all_reduce(communicator, most, Reduction::kMax, "maximum");
      for (std::size_t i = 0; i < count; ++i) {
        const auto n = static_cast<std::int64_t>(i);
        ASSERT_EQ(sum[i], (INT64_C(1) << 58) / size * size + 7 * size * (size - 1) / 2 + n * size);
        ASSERT_EQ(least[i], -(size - 1) * n);
        ASSERT_EQ(most[i], INT64_MIN + size - 1);
      }
    }
  });
}

// Whether the reduction is queued or done at once, it is done when await() returns.
TEST_P(CommunicatorContract, HasDoneWhatWasQueuedOnceItWasAwaited) {
  const std::int64_t size = GetParam().size;
  GetParam().run([&](Communicator& communicator) {
    EXPECT_FALSE(communicator.queues(MemorySpace::kHost));
    std::vector<std::int64_t> values = {1, communicator.rank().rank};
    const SumBuffer buffer{values.data(), values.size()};
    communicator.queue_all_reduce(buffer, Reduction::kSum, "sums");
    communicator.queue_all_reduce(buffer, Reduction::kMax, "largest");
    communicator.await(buffer, "sums");
    ASSERT_EQ(values[0], size);
    ASSERT_EQ(values[1], size * (size - 1) / 2);
  });
}

TEST_P(CommunicatorContract, KnowsOfNobodyWhoGaveUpWhileAllIsWell) {
  GetParam().run([](Communicator& communicator) {
    communicator.barrier("start");
    EXPECT_EQ(communicator.gave_up(), "");
    communicator.barrier("end");
  });
}

TEST_P(CommunicatorContract, BroadcastsFromEveryRoot) {
  GetParam().run([&](Communicator& communicator) {
    for (std::int64_t root = 0; root < communicator.rank().size; ++root) {
      std::int64_t value = communicator.rank().rank == root ? 1000 + root : -1;
      communicator.broadcast(std::as_writable_bytes(std::span(&value, 1)), root, "value");
      ASSERT_EQ(value, 1000 + root);
    }
  });
}

TEST_P(CommunicatorContract, GathersWhatEachRankBrings) {
  GetParam().run([&](Communicator& communicator) {
    const auto [rank, size] = communicator.rank();
    for (const std::int64_t unit : {0, 1, 3, 20'000}) {
      const auto count = [unit](std::int64_t k) {
        return static_cast<std::size_t>(k % 3 == 1 ? 0 : unit * (k + 1));
      };
      std::vector<std::size_t> sizes;
      std::vector<std::int64_t> expected;
      for (std::int64_t k = 0; k < size; ++k) {
        sizes.push_back(count(k));
        for (std::size_t i = 0; i < count(k); ++i) {
          expected.push_back(1'000'000 * k + static_cast<std::int64_t>(i));
        }
      }
      std::vector<std::int64_t> mine(count(rank));
      std::iota(mine.begin(), mine.end(), 1'000'000 * rank);
      std::vector<std::int64_t> all(expected.size());
      communicator.all_gather(mine, sizes, all, "features");
      ASSERT_EQ(all, expected);
    }
  });
}

TEST_P(CommunicatorContract, StaysInStepOverManyCalls) {
  GetParam().run([&](Communicator& communicator) {
    std::vector<std::int64_t> value = {0};
    for (std::int64_t step = 0; step < 300; ++step) {
      communicator.set_position({.phase = "training", .epoch = 1, .step = step + 1});
      value[0] = step;
      all_reduce(communicator, value, Reduction::kSum, "steps");
      ASSERT_EQ(value[0], step * communicator.rank().size);
      if (step % 50 == 0) communicator.barrier("rest");
    }
  });
}

}  // namespace ossau::test
