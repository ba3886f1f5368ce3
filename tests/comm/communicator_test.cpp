#include "comm/communicator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "comm/communicator_contract.hpp"
#include "comm/launch.hpp"
#include "comm/process_case.hpp"
#include "comm/single.hpp"
#include "comm/threads.hpp"
#include "ossau/error.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

void run_threads(ThreadGroup& group, std::int64_t size,
                 const std::function<void(Communicator&)>& work) {
  std::vector<std::thread> threads;
  for (std::int64_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] { work(*group.communicator(rank)); });
  }
  for (std::thread& thread : threads) thread.join();
}

CommunicatorCase thread_case(std::int64_t size) {
  return {"threads_" + std::to_string(size), size,
          [size](const std::function<void(Communicator&)>& work) {
            ThreadGroup group(size, 60);
            run_threads(group, size, work);
          }};
}

CommunicatorCase single_case() {
  return {"single", 1, [](const std::function<void(Communicator&)>& work) {
            work(*make_single_communicator());
          }};
}

CommunicatorCase process_case(std::int64_t size) {
  return {
      "processes_" + std::to_string(size), size,
      [size](const std::function<void(Communicator&)>& work) { run_on_loopback(size, 60, work); }};
}

INSTANTIATE_TEST_SUITE_P(Implementations, CommunicatorContract,
                         ::testing::Values(single_case(), thread_case(1), thread_case(2),
                                           thread_case(4), thread_case(7), process_case(2),
                                           process_case(3), process_case(4), process_case(7),
                                           process_case(8)),
                         [](const auto& each) { return each.param.name; });

// Runs `work` on every rank and collects the messages of those that threw CommError.
std::vector<std::string> comm_errors(std::int64_t size, double timeout_s,
                                     const std::function<void(Communicator&)>& work) {
  ThreadGroup group(size, timeout_s);
  std::mutex mutex;
  std::vector<std::string> messages;
  run_threads(group, size, [&](Communicator& communicator) {
    try {
      work(communicator);
    } catch (const CommError& error) {
      const std::lock_guard lock(mutex);
      messages.emplace_back(error.what());
    }
  });
  return messages;
}

TEST(ThreadGroup, NamesARankThatDoesNotComeInTime) {
  const auto start = std::chrono::steady_clock::now();
  const auto messages = comm_errors(3, 1, [](Communicator& communicator) {
    communicator.set_position({.phase = "training", .epoch = 2, .step = 5});
    if (communicator.rank().rank == 1) return;
    communicator.barrier("gradient sums");
  });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_THAT(messages, Each(AllOf(HasSubstr("gradient sums: rank 1 (last seen in training, "
                                             "epoch 2, step 5) did not come within 1 s"),
                                   HasSubstr("communication.timeout_s"))));
}

// A rank that comes once others have given up must leave their memory alone.
TEST(ThreadGroup, KeepsALateRankOutOfARoundThatOthersLeft) {
  const auto messages = comm_errors(3, 0.2, [](Communicator& communicator) {
    std::vector<std::int64_t> values(100000, 1);
    if (communicator.rank().rank == 2) std::this_thread::sleep_for(std::chrono::milliseconds(400));
    all_reduce(communicator, values, Reduction::kSum, "sums");
  });
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_THAT(messages, Each(HasSubstr("rank 2 (last seen in start-up) did not come")));
}

Config config_of_ranks(std::int64_t ranks) {
  Config config;
  config.run.ranks = ranks;
  return config;
}

TEST(RunRanks, CallsEveryRankOnce) {
  for (const std::int64_t ranks : {1, 2, 5}) {
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(ranks));
    run_ranks(config_of_ranks(ranks), [&](Communicator& communicator) {
      EXPECT_EQ(communicator.rank().size, ranks);
      ++calls[static_cast<std::size_t>(communicator.rank().rank)];
    });
    for (const auto& times : calls) EXPECT_EQ(times, 1);
  }
}

TEST(RunRanks, ThrowsTheErrorOfTheCulpritNotOfItsVictims) {
  try {
    run_ranks(config_of_ranks(3), [](Communicator& communicator) {
      if (communicator.rank().rank == 1) throw DataError("clicks.svm:7:1: bad label");
      communicator.barrier("gradient sums");
    });
    FAIL() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "clicks.svm:7:1: bad label");
  }
}

TEST(ThreadGroup, FreesWaitingRanksWhenOneGivesUp) {
  const auto messages = comm_errors(4, 60, [](Communicator& communicator) {
    if (communicator.rank().rank == 2) {
      communicator.abort("clicks.svm:3: bad label", ExitCode::kData);
      return;
    }
    std::vector<std::int64_t> values = {1};
    all_reduce(communicator, values, Reduction::kSum, "column counts");
  });
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_THAT(messages, Each(HasSubstr("rank 2 gave up (start-up): clicks.svm:3: bad label")));
}

// For a rank that waits for its GPU and not in a call of the group.
TEST(ThreadGroup, TellsWhoGaveUpAndWhereTheOthersAre) {
  ThreadGroup group(3, 60);
  const auto first = group.communicator(0);
  const auto second = group.communicator(1);
  EXPECT_EQ(first->gave_up(), "");
  second->set_position({.phase = "training", .epoch = 2, .step = 5});
  EXPECT_EQ(first->last_seen(), "rank 1 in training, epoch 2, step 5, rank 2 in start-up");
  second->abort("the GPU is lost", ExitCode::kDevice);
  EXPECT_EQ(first->gave_up(), "rank 1 gave up (training, epoch 2, step 5): the GPU is lost");
}

TEST(ThreadGroup, RefusesBuffersInTheMemoryOfAGpu) {
  const auto messages = comm_errors(1, 60, [](Communicator& communicator) {
    communicator.all_reduce({nullptr, 1, MemorySpace::kCuda}, Reduction::kSum, "sums");
  });
  EXPECT_THAT(messages, ::testing::ElementsAre(HasSubstr("not in host memory")));
}

TEST(DeviceSums, AreRefusedWithTheReasonAndTheRemedyWhereTheyCannotBeHad) {
  const TemporaryDirectory empty;  // the module is looked for once in a process: here
  ::setenv("OSSAU_MODULE_DIRECTORY", empty.path().c_str(), 1);
  try {
    require_device_sums(2);
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& error) {
    EXPECT_EQ(error.what(),
              "run.ranks: 2: GPUs add up through NCCL, and libossau_cuda.so is not there (looked "
              "in " +
                  empty.path().string() + ") (install NCCL, or set run.ranks: 1)");
  }
  ::unsetenv("OSSAU_MODULE_DIRECTORY");
}

TEST(ThreadGroup, NoticesRanksThatAreOutOfStep) {
  const auto messages = comm_errors(2, 60, [](Communicator& communicator) {
    std::vector<std::int64_t> values(communicator.rank().rank == 0 ? 3 : 4);
    all_reduce(communicator, values, Reduction::kSum, "sums");
  });
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_THAT(messages, Each(HasSubstr("ranks are out of step")));
}

}  // namespace
}  // namespace ossau::test
