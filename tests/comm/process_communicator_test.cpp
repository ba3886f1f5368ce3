#include "comm/process/process_communicator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/process_case.hpp"
#include "core/clock.hpp"
#include "ossau/error.hpp"

// What ranks say when one of them fails.  The ranks are threads here, each with everything that a
// process has; tests/cluster kills, stops and cuts off real ones.

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct Outcome {
  std::vector<std::string> messages;  // of those that threw CommError
  std::vector<ExitCode> codes;
  double seconds = 0;
};

Outcome outcome_of(std::int64_t size, double timeout_s,
                   const std::function<void(Communicator&)>& work) {
  const Listener meeting_point(Endpoint{"127.0.0.1", 0});
  const Stopwatch watch;
  std::mutex mutex;
  Outcome outcome;
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        const auto communicator =
            join_on_loopback(meeting_point, {.rank = rank, .size = size}, timeout_s);
        work(*communicator);
      } catch (const CommError& error) {
        const std::lock_guard lock(mutex);
        outcome.messages.emplace_back(error.what());
        outcome.codes.push_back(error.code());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  outcome.seconds = watch.seconds();
  return outcome;
}

TEST(ProcessCommunicator, FreesWaitingRanksWhenOneGivesUpAndTheyEndWithItsCode) {
  const Outcome outcome = outcome_of(4, 60, [](Communicator& communicator) {
    communicator.set_position({.phase = "reading"});
    communicator.barrier("start");
    if (communicator.rank().rank == 2) {
      communicator.abort("clicks.svm:3: bad label", ExitCode::kData);
      return;
    }
    communicator.barrier("column counts");
  });
  EXPECT_LT(outcome.seconds, 20);
  EXPECT_THAT(outcome.messages,
              AllOf(SizeIs(3), Each(AllOf(HasSubstr("rank 2 ("),
                                          HasSubstr("gave up (reading): clicks.svm:3: bad label"),
                                          HasSubstr("leaves (reading)")))));
  EXPECT_THAT(outcome.codes, Each(ExitCode::kData));
}

// Some ranks have reached all that they will talk to, while others still wait for theirs.
TEST(ProcessCommunicator, FreesRanksThatStillConnect) {
  const Listener meeting_point(Endpoint{"127.0.0.1", 0});
  std::vector<std::string> messages(2);
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        join_on_loopback(meeting_point, {.rank = rank, .size = 3}, 60)->barrier("start");
      } catch (const CommError& error) {
        messages[static_cast<std::size_t>(rank)] = error.what();
      }
    });
  }
  {
    // Rank 2 comes, and is gone before rank 0 has its connection for numbers.
    const Circle circle = join_members({{"127.0.0.1", meeting_point.port()}},
                                       this_process({.rank = 2, .size = 3}, {}), "secret", 60,
                                       [](const std::string&) {
                                         return Endpoint{"127.0.0.1", 1};
                                       });
  }
  const Stopwatch watch;
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(watch.seconds(), 20);
  EXPECT_THAT(messages, Each(AllOf(HasSubstr("rank 2 ("), HasSubstr(" was lost"))));
}

TEST(ProcessCommunicator, TellsASlowRankFromALostOne) {
  std::atomic<int> over = 0;
  const Outcome outcome = outcome_of(3, 4, [&](Communicator& communicator) {
    communicator.set_position({.phase = "training", .epoch = 2, .step = 5});
    communicator.barrier("start");
    if (communicator.rank().rank == 1) {
      const Deadline deadline(60);
      while (over < 2 && !deadline.passed()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return;
    }
    try {
      communicator.barrier("gradient sums");
    } catch (...) {
      ++over;
      throw;
    }
  });
  EXPECT_THAT(outcome.messages,
              AllOf(SizeIs(2), Each(AllOf(HasSubstr("gradient sums: rank "),
                                          HasSubstr("waited 4 s; still missing: rank 1 ("),
                                          HasSubstr("in training, epoch 2, step 5 (alive"),
                                          HasSubstr("communication.timeout_s")))));
}

TEST(ProcessCommunicator, NoticesRanksThatAreOutOfStep) {
  const Outcome outcome = outcome_of(2, 30, [](Communicator& communicator) {
    std::vector<std::int64_t> values(communicator.rank().rank == 0 ? 3 : 4);
    all_reduce(communicator, values, Reduction::kSum, "sums");
  });
  EXPECT_THAT(outcome.messages, AllOf(SizeIs(2), Each(HasSubstr("ranks are out of step"))));
}

TEST(ProcessCommunicator, RefusesBuffersInTheMemoryOfAGpu) {
  const Outcome outcome = outcome_of(2, 30, [](Communicator& communicator) {
    communicator.all_reduce({nullptr, 1, MemorySpace::kCuda}, Reduction::kSum, "sums");
  });
  EXPECT_THAT(outcome.messages, AllOf(SizeIs(2), Each(HasSubstr("not in host memory"))));
}

TEST(ProcessCommunicator, KnowsWhereTheOthersAre) {
  run_on_loopback(3, 20, [](Communicator& communicator) {
    communicator.set_position({.phase = "validation", .epoch = 3, .step = 4});
    communicator.barrier("positions");
    const Stopwatch watch;
    const std::string wanted = communicator.rank().rank == 0 ? "rank 2 (" : "rank 0 (";
    while (communicator.last_seen().find(wanted) == std::string::npos ||
           communicator.last_seen().find("validation, epoch 3, step 4") == std::string::npos) {
      ASSERT_LT(watch.seconds(), 30);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
}

// A message that names a lost rank names its phase: it must not be that of a second ago.
TEST(ProcessCommunicator, TellsANewPhaseAtOnce) {
  constexpr std::array<const char*, 2> kPhases = {"reading", "training"};
  constexpr int kRounds = 20;
  const Stopwatch watch;
  run_on_loopback(2, 60, [&](Communicator& communicator) {
    for (int round = 0; round < kRounds; ++round) {
      const char* const phase = kPhases[static_cast<std::size_t>(round % 2)];
      communicator.barrier("phase");
      if (communicator.rank().rank == 1) communicator.set_position({.phase = phase});
      while (communicator.rank().rank == 0 &&
             communicator.last_seen().find(phase) == std::string::npos) {
        ASSERT_LT(watch.seconds(), 60);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  });
  EXPECT_LT(watch.seconds(), 15);  // a beat a second would take twenty
}

TEST(ProcessCommunicator, EndsAProcessThatDoesNotSeeThatTheJobIsOver) {
  const Listener meeting_point(Endpoint{"127.0.0.1", 0});
  std::atomic<bool> ended = false;
  std::thread other([&] {
    const auto communicator = join_on_loopback(meeting_point, {.rank = 1, .size = 2}, 5);
    communicator->abort("the disk is full", ExitCode::kDevice);
  });
  const auto communicator =
      join_on_loopback(meeting_point, {.rank = 0, .size = 2}, 5, "secret", [&](const Verdict& why) {
        EXPECT_THAT(why.text, HasSubstr("the disk is full"));
        EXPECT_EQ(why.code, ExitCode::kDevice);
        ended = true;
      });
  const Stopwatch watch;
  while (!ended && watch.seconds() < 30) {  // busy, and in no call
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(ended);
  other.join();
}

}  // namespace
}  // namespace ossau::test
