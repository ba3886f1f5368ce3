#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/function_ref.hpp"

namespace ossau {

/// A fixed set of threads that run one function together; the caller is thread 0.
/// Used by one caller at a time.  The function must not throw.
class ThreadPool {
 public:
  /// Throws DeviceError where the system refuses to start that many.
  explicit ThreadPool(std::int64_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  std::int64_t size() const { return static_cast<std::int64_t>(workers_.size()) + 1; }

  /// Calls work(0), ..., work(size() - 1), one in each thread, and returns when all have.
  /// Workers run in the default floating-point environment.
  void run(FunctionRef<void(std::int64_t thread)> work);

  /// Splits [0, count) into size() near-equal ranges: work(thread, begin, end).  Empty ranges are
  /// passed too; fewer than `grain` items a thread run in the caller alone.
  void split(std::int64_t count, std::int64_t grain,
             FunctionRef<void(std::int64_t thread, std::int64_t begin, std::int64_t end)> work);

 private:
  void serve(std::int64_t thread);
  void stop();

  std::atomic<std::uint32_t> round_{0};
  std::atomic<std::uint32_t> running_{0};
  std::atomic<bool> stopping_{false};
  const FunctionRef<void(std::int64_t)>* work_ = nullptr;
  std::vector<std::thread> workers_;
};

}  // namespace ossau
