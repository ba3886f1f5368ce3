#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/aligned.hpp"
#include "core/function_ref.hpp"

namespace ossau {

/// What threads do while there is nothing to do.
enum class Waiting {
  kSpin,  // look for work for some microseconds, then sleep: for threads with a core each
  kSleep
};

/// kSpin where the process has a core for each of `threads` threads.
Waiting waiting_for(std::int64_t threads);

/// A fixed set of threads that run one function together; the caller is thread 0.
/// Used by one caller at a time.  The function must not throw.
class ThreadPool {
 public:
  /// Throws DeviceError where the system refuses to start that many.
  ThreadPool(std::int64_t threads, Waiting waiting);
  explicit ThreadPool(std::int64_t threads) : ThreadPool(threads, waiting_for(threads)) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::int64_t size() const { return static_cast<std::int64_t>(workers_.size()) + 1; }

  /// Calls work(0), ..., work(size() - 1), one in each thread, and returns when all have.
  /// Workers run in the default floating-point environment.
  void run(FunctionRef<void(std::int64_t thread)> work) { run(size(), work); }
  /// The same in the first `threads` threads, at least the caller.
  void run(std::int64_t threads, FunctionRef<void(std::int64_t thread)> work);

  /// About how long a worker takes to start: less work than that is not worth sharing.
  double wake_s() const { return waiting_ == Waiting::kSpin ? kAwakeSeconds : kAsleepSeconds; }
  static constexpr double kAwakeSeconds = 1e-6;
  static constexpr double kAsleepSeconds = 50e-6;

  /// Threads worth having for `count` items, `grain` being as many as repay a thread.
  std::int64_t threads_for(std::int64_t count, std::int64_t grain) const;

  /// Splits [0, count) into near-equal ranges, one a thread: work(thread, begin, end).  As many
  /// threads take part as have `grain` items each; the caller alone where that is one.
  void split(std::int64_t count, std::int64_t grain,
             FunctionRef<void(std::int64_t thread, std::int64_t begin, std::int64_t end)> work);

  /// The same in small pieces, several a thread: one that is done helps the others, so that uneven
  /// items and busy cores cost little.  work(thread, begin, end) is called any number of times.
  void share(std::int64_t count, std::int64_t grain,
             FunctionRef<void(std::int64_t thread, std::int64_t begin, std::int64_t end)> work);

 private:
  // A thread's range, from which others may take too; alone on its cache line.
  struct alignas(kAlignment) Queue {
    std::atomic<std::int64_t> next{0};
    std::int64_t end = 0;
  };

  void serve(std::int64_t thread);
  void stop();

  // Rounds so far in the upper half, threads that take part in the latest in the lower one: a
  // worker that does not take part, and for whom nobody waits, must never see half of a change.
  alignas(kAlignment) std::atomic<std::uint64_t> round_{0};
  const FunctionRef<void(std::int64_t)>* work_ = nullptr;
  alignas(kAlignment) std::atomic<std::uint32_t> running_{0};
  alignas(kAlignment) std::atomic<bool> stopping_{false};
  Waiting waiting_;
  std::vector<Queue> queues_;  // [threads]
  std::vector<std::thread> workers_;
};

}  // namespace ossau
