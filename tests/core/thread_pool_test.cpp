#include "core/thread_pool.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <vector>

#include "core/floating_point.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

TEST(ThreadPool, RunsEveryThreadOnceARound) {
  for (const std::int64_t threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    std::vector<int> calls(static_cast<std::size_t>(threads), 0);
    for (int round = 0; round < 200; ++round) {
      pool.run([&](std::int64_t thread) { ++calls[static_cast<std::size_t>(thread)]; });
    }
    for (const int count : calls) EXPECT_EQ(count, 200);
  }
}

TEST(ThreadPool, SplitsARangeWithoutGapsOrOverlaps) {
  ThreadPool pool(3);
  for (const std::int64_t count : {0, 1, 2, 3, 10, 1001}) {
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
    pool.split(count, 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    for (const auto& times : seen) EXPECT_EQ(times, 1);
  }
}

TEST(ThreadPool, KeepsSmallWorkInTheCaller) {
  ThreadPool pool(4);
  std::atomic<int> calls = 0;
  const auto work = [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
    EXPECT_EQ(thread, 0);
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 7);
    ++calls;
  };
  pool.split(7, 4, work);
  pool.share(7, 4, work);
  EXPECT_EQ(calls, 2);
}

TEST(ThreadPool, TakesAsManyThreadsAsHaveAGrainEach) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> calls(4);
  for (int round = 0; round < 100; ++round) {
    pool.split(7, 2, [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
      EXPECT_GE(end - begin, 2);
      ++calls[static_cast<std::size_t>(thread)];
    });
    pool.run([](std::int64_t) {});  // those left out must still be there
  }
  for (std::size_t thread = 0; thread < 3; ++thread) EXPECT_EQ(calls[thread], 100);
  EXPECT_EQ(calls[3], 0);
}

TEST(ThreadPool, SharesARangeWithoutGapsOrOverlaps) {
  for (const Waiting waiting : {Waiting::kSpin, Waiting::kSleep}) {
    ThreadPool pool(3, waiting);
    for (const std::int64_t count : {0, 1, 2, 3, 10, 1001}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
      pool.share(count, 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
      });
      for (const auto& times : seen) EXPECT_EQ(times, 1);
    }
  }
}

// The first piece holds its thread up until all others are done: who else should do them?
TEST(ThreadPool, LetsThreadsHelpOneThatIsLate) {
  ThreadPool pool(2);
  constexpr std::int64_t kItems = 320;
  std::atomic<std::int64_t> done = 0;
  pool.share(kItems, 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    if (begin == 0) {
      while (done < kItems - end) std::this_thread::yield();
    }
    done += end - begin;
  });
  EXPECT_EQ(done, kItems);
}

// Ends the program where a thread is never woken: better than to hang.
class Deadline {
 public:
  Deadline() { alarm(240); }
  ~Deadline() { alarm(0); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
};

// Numbers that nobody protects but the pool: each thread sees what the others did a round before.
void run_rounds(ThreadPool& pool, int rounds) {
  const std::int64_t threads = pool.size();
  std::vector<std::int64_t> done(static_cast<std::size_t>(4 * threads), 0);
  std::int64_t expected = 0;
  for (int round = 0; round < rounds; ++round) {
    // From the caller alone to all threads, in changing order.
    const std::int64_t count = 1 + round * 7 % (4 * threads);
    const auto work = [&](std::int64_t, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++done[static_cast<std::size_t>(i)];
    };
    switch (round % 4) {
      case 0:
        pool.split(count, 1, work);
        break;
      case 1:
        pool.share(count, 1, work);
        break;
      case 2:
        pool.split(count, 3, work);
        break;
      default:
        pool.run([&](std::int64_t thread) { work(thread, thread, thread + 1); });
    }
    expected += round % 4 == 3 ? threads : count;
    ASSERT_EQ(std::accumulate(done.begin(), done.end(), std::int64_t{0}), expected) << round;
    // Some workers are looking for work by now, some asleep.
    if (round % 1000 == 999) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(ThreadPool, LosesNoRoundHoweverManyTakePart) {
  const Deadline deadline;
  for (const Waiting waiting : {Waiting::kSpin, Waiting::kSleep}) {
    for (const std::int64_t threads : {2, 3, 9}) {
      ThreadPool pool(threads, waiting);
      run_rounds(pool, 4000);
    }
  }
}

// More threads than cores, in several pools at once, as ranks of one process have them.
TEST(ThreadPool, LosesNoRoundBesideOtherPools) {
  const Deadline deadline;
  for (const Waiting waiting : {Waiting::kSpin, Waiting::kSleep}) {
    std::vector<std::thread> callers;
    for (const std::int64_t threads : {2, 3, 5}) {
      callers.emplace_back([threads, waiting] {
        ThreadPool pool(threads, waiting);
        run_rounds(pool, 1500);
      });
    }
    for (std::thread& caller : callers) caller.join();
  }
}

// Workers may not have started yet, may have just been woken, or may be about to sleep.
TEST(ThreadPool, MayEndAtAnyMoment) {
  const Deadline deadline;
  for (const Waiting waiting : {Waiting::kSpin, Waiting::kSleep}) {
    for (int round = 0; round < 150; ++round) {
      { const ThreadPool pool(5, waiting); }
      std::atomic<int> calls = 0;
      {
        ThreadPool pool(5, waiting);
        pool.run([&](std::int64_t) { ++calls; });
      }
      EXPECT_EQ(calls, 5);
      {
        ThreadPool pool(5, waiting);
        pool.split(2, 1, [&](std::int64_t, std::int64_t, std::int64_t) { ++calls; });
        if (round % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(round));
      }
      EXPECT_EQ(calls, 7);
    }
  }
}

TEST(ThreadPool, WorkersHaveDefaultArithmeticWhateverTheMakerHad) {
  const std::uint64_t saved = floating_point_control();
  std::uint64_t fresh = 0;
  {
    const FloatingPointGuard guard;
    fresh = floating_point_control();
  }
#if defined(__x86_64__)
  set_floating_point_control(0x9fc0);  // FTZ and DAZ
#endif
  std::atomic<std::uint64_t> seen = ~std::uint64_t{0};
  {
    ThreadPool pool(2);
    pool.run([&](std::int64_t thread) {
      if (thread == 1) seen = floating_point_control();
    });
  }
  set_floating_point_control(saved);
  // The low six bits of MXCSR are flags of past exceptions.
  EXPECT_EQ(seen & ~std::uint64_t{0x3f}, fresh & ~std::uint64_t{0x3f});
}

// Sanitizers need the address space that this test takes away.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(ThreadPool, NamesThreadsThatTheSystemRefuses) {
  const auto start_far_too_many = [] {
    // Stacks of 8 MiB do not fit into 512 MiB a thousand times.
    const rlimit limit{.rlim_cur = 512 << 20, .rlim_max = 512 << 20};
    setrlimit(RLIMIT_AS, &limit);
    try {
      const ThreadPool pool(1000);
    } catch (const DeviceError& error) {
      std::fputs(error.what(), stderr);
      std::_Exit(static_cast<int>(error.code()));
    }
    std::_Exit(0);
  };
  EXPECT_EXIT(start_far_too_many(), ::testing::ExitedWithCode(4),
              "run.threads: 1000: the system started only");
}
#endif

}  // namespace
}  // namespace ossau
