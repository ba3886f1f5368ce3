#include "core/thread_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <system_error>

#include "core/floating_point.hpp"
#include "core/machine.hpp"
#include "ossau/error.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ossau {
namespace {

// Sleeping and waking cost tens of microseconds, more than most steps last; a core that spins for
// that long has wasted little.
constexpr auto kSpinTime = std::chrono::microseconds(50);
constexpr int kLooksPerClock = 32;  // reading the clock is slower than looking

// Each thread's range is taken in about so many pieces.
constexpr std::int64_t kPieces = 16;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns whether `done` came true while spinning.
template <class Done>
bool spin_until(const Done& done) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int look = 0; look < kLooksPerClock; ++look) {
      if (done()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

constexpr std::uint64_t kThreadsMask = 0xffffffff;
constexpr std::uint64_t kOneRound = kThreadsMask + 1;

}  // namespace

Waiting waiting_for(std::int64_t threads) {
  return threads <= usable_cores() ? Waiting::kSpin : Waiting::kSleep;
}

ThreadPool::ThreadPool(std::int64_t threads, Waiting waiting)
    : waiting_(waiting), queues_(static_cast<std::size_t>(threads)) {
  workers_.reserve(static_cast<std::size_t>(threads));
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
  round_ += kOneRound;
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::serve(std::int64_t thread) {
  const FloatingPointGuard default_arithmetic;
  for (std::uint64_t seen = 0;;) {
    const auto changed = [&] { return round_.load(std::memory_order_acquire) != seen; };
    if (waiting_ == Waiting::kSleep || !spin_until(changed)) round_.wait(seen);
    seen = round_;
    if (stopping_) return;
    if (static_cast<std::uint64_t>(thread) >= (seen & kThreadsMask)) continue;
    (*work_)(thread);
    if (--running_ == 0) running_.notify_one();
  }
}

void ThreadPool::run(std::int64_t threads, FunctionRef<void(std::int64_t)> work) {
  if (threads == 1) {
    work(0);
    return;
  }
  work_ = &work;
  running_ = static_cast<std::uint32_t>(threads - 1);
  const std::uint64_t rounds = (round_.load() & ~kThreadsMask) + kOneRound;
  round_ = rounds | static_cast<std::uint64_t>(threads);
  round_.notify_all();
  work(0);
  if (waiting_ == Waiting::kSpin && spin_until([&] { return running_.load() == 0; })) return;
  for (std::uint32_t left = running_; left != 0; left = running_) running_.wait(left);
}

std::int64_t ThreadPool::threads_for(std::int64_t count, std::int64_t grain) const {
  return std::clamp<std::int64_t>(count / grain, 1, size());
}

void ThreadPool::split(std::int64_t count, std::int64_t grain,
                       FunctionRef<void(std::int64_t, std::int64_t, std::int64_t)> work) {
  const std::int64_t threads = threads_for(count, grain);
  run(threads, [&](std::int64_t thread) {
    work(thread, count * thread / threads, count * (thread + 1) / threads);
  });
}

void ThreadPool::share(std::int64_t count, std::int64_t grain,
                       FunctionRef<void(std::int64_t, std::int64_t, std::int64_t)> work) {
  const std::int64_t threads = threads_for(count, grain);
  if (threads == 1) {
    work(0, 0, count);
    return;
  }
  for (std::int64_t thread = 0; thread < threads; ++thread) {
    Queue& queue = queues_[static_cast<std::size_t>(thread)];
    queue.next = count * thread / threads;
    queue.end = count * (thread + 1) / threads;
  }
  const std::int64_t piece = std::max(grain, count / threads / kPieces);
  run(threads, [&](std::int64_t thread) {
    for (std::int64_t i = 0; i < threads; ++i) {
      Queue& queue = queues_[static_cast<std::size_t>((thread + i) % threads)];
      for (;;) {
        const std::int64_t begin = queue.next.fetch_add(piece);
        if (begin >= queue.end) break;
        work(thread, begin, std::min(begin + piece, queue.end));
      }
    }
  });
}

}  // namespace ossau
