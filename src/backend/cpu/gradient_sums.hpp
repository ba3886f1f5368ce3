#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.hpp"
#include "backend/cpu/kernels.hpp"
#include "core/aligned.hpp"
#include "core/thread_pool.hpp"

namespace ossau {

/// Features that a thread should have before another is worth waking.
inline constexpr std::int64_t kFeatureGrain = 8192;

/// What a gradient pass of several threads adds up.  Each thread has sums of its own, so that none
/// waits; they are put together once somebody asks.  Where a pass can touch few features only, they
/// are listed as they come, and nobody looks at the others.
class GradientSums {
 public:
  /// lists: whether the update leaves features with sum 0 alone, so that lists can serve.
  GradientSums(std::int64_t features, bool lists, ThreadPool& pool);

  /// Starts a pass that meets at most `entries` entries.
  void start(std::int64_t entries);
  /// Where a thread adds; its own between start() and finish().
  ThreadSums& of(std::int64_t thread) { return threads_[static_cast<std::size_t>(thread)].sums; }
  /// Adds up all but the features.
  void finish();

  /// Every thread's sums in one place (SumLayout), where they may be changed: from here on any
  /// feature may have been touched.
  SumBuffer merged();
  StepTotals totals() const;
  std::int64_t intercept() const { return threads_[0].sums.sums[layout_.intercept()]; }

  /// Whether few features were touched, all of them listed.
  bool listed() const;
  /// Calls take(thread, j, sum) once or more for each touched feature, and only for those: with its
  /// sum, after that with 0.  A feature's calls come from one thread.  The features' sums are used
  /// up.
  /// ahead(j) comes some calls earlier, to fetch what take() will need.
  template <class Ahead, class Take>
  void consume(const Ahead& ahead, const Take& take);

 private:
  struct Thread {
    AlignedVector<std::int64_t> memory;  // SumLayout and kSumPadding
    std::vector<std::uint32_t> touched;  // [features], if lists
    std::vector<std::uint32_t> mine;     // [features], if lists: touched ones that it takes
    ThreadSums sums;
  };

  // Behind the end of `mine`, filled with 0, for looking so many features ahead.
  static constexpr std::size_t kListPadding = 16;

  // Where the features' sums are; the rest is in the first thread's from finish() on.
  enum class State { kClear, kListed, kSpread, kMerged };

  void clear();
  std::size_t touched() const;
  std::size_t choose_mine(std::int64_t thread);
  std::int64_t take_sum(std::uint32_t j);

  SumLayout layout_;
  bool lists_;
  ThreadPool& pool_;
  std::vector<Thread> threads_;  // the first has the result
  State state_ = State::kClear;
};

template <class Ahead, class Take>
void GradientSums::consume(const Ahead& ahead, const Take& take) {
  pool_.run([&](std::int64_t thread) {
    const std::size_t count = choose_mine(thread);
    const std::uint32_t* mine = threads_[static_cast<std::size_t>(thread)].mine.data();
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t later = mine[i + kListPadding];
      for (Thread& other : threads_) __builtin_prefetch(other.sums.sums + later, 1);
      ahead(later);
      take(mine[i], take_sum(mine[i]));
    }
  });
  for (Thread& thread : threads_) thread.sums.touched_count = 0;
  state_ = State::kClear;
}

inline std::int64_t GradientSums::take_sum(std::uint32_t j) {
  std::int64_t sum = 0;
  for (Thread& thread : threads_) {
    sum += thread.sums.sums[j];
    thread.sums.sums[j] = 0;
  }
  return sum;
}

}  // namespace ossau
