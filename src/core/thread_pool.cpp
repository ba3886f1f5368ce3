#include "core/thread_pool.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/floating_point.hpp"
#include "ossau/error.hpp"

namespace ossau {

ThreadPool::ThreadPool(std::int64_t threads) {
  for (std::int64_t thread = 1; thread < threads; ++thread) {
    try {
      workers_.emplace_back([this, thread] { serve(thread); });
    } catch (const std::system_error& error) {
      stop();
      throw DeviceError(fmt::format(
          "run.threads: {}: the system started only {} ({}; ask for fewer threads or ranks)",
          threads, thread, error.code().message()));
    }
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stopping_ = true;
  ++round_;
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::serve(std::int64_t thread) {
  const FloatingPointGuard default_arithmetic;
  for (std::uint32_t seen = 0;; ++seen) {
    round_.wait(seen);
    if (stopping_) return;
    (*work_)(thread);
    if (--running_ == 0) running_.notify_one();
  }
}

void ThreadPool::run(FunctionRef<void(std::int64_t)> work) {
  if (workers_.empty()) {
    work(0);
    return;
  }
  work_ = &work;
  running_ = static_cast<std::uint32_t>(workers_.size());
  ++round_;
  round_.notify_all();
  work(0);
  for (std::uint32_t left = running_; left != 0; left = running_) running_.wait(left);
}

void ThreadPool::split(std::int64_t count, std::int64_t grain,
                       FunctionRef<void(std::int64_t, std::int64_t, std::int64_t)> work) {
  const std::int64_t threads = size();
  if (threads == 1 || count < grain * threads) {
    work(0, 0, count);
    return;
  }
  run([&](std::int64_t thread) {
    work(thread, count * thread / threads, count * (thread + 1) / threads);
  });
}

}  // namespace ossau
