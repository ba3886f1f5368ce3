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
class GradientSums final : public SparseSums {
 public:
  /// lists: whether the update leaves features with sum 0 alone, so that lists can serve.
  GradientSums(std::int64_t features, bool lists, ThreadPool& pool);

  bool lists() const { return lists_; }

  /// Starts a pass that meets at most `entries` entries.
  void start(std::int64_t entries);
  /// Where a thread adds, between start() and finish(); asked for by that thread.
  ThreadSums& of(std::int64_t thread);
  /// Adds up all but the features.
  void finish();

  /// Every thread's sums in one place (SumLayout), where they may be changed: from here on any
  /// feature may have been touched.
  SumBuffer merged();
  StepTotals totals() const;
  std::int64_t intercept() const { return threads_[0].memory[layout_.intercept()]; }

  /// Whether few features were touched, all of them listed.
  bool listed() const;
  /// Sums of 0 are left out.
  bool take(std::vector<FeatureSum>& entries) override;
  /// To sums that are 0 or listed; afterwards they are listed.
  void add(std::span<const FeatureSum> entries) override;
  /// [1 + SumLayout::kTotals].
  std::span<std::int64_t> rest() override;
  /// Calls take(j, sum) once or more for each touched feature, and only for those: with its sum,
  /// after that with 0.  A feature's calls come from one thread.  The features' sums are used up.
  /// ahead(j) comes some calls earlier, to fetch what take() will need.
  template <class Ahead, class Take>
  void consume(const Ahead& ahead, const Take& take);

 private:
  struct alignas(kAlignment) Thread {
    AlignedVector<std::int64_t> memory;  // SumLayout and kSumPadding
    // If lists, [features, kListPadding]; untouched memory costs nothing.
    UntouchedVector<std::uint32_t> touched;
    UntouchedVector<std::uint32_t> mine;  // those of all threads' that this one takes
    ThreadSums sums;
    bool took_part = false;
  };

  // Behind the end of `mine`, filled with 0, for looking so many features ahead.
  static constexpr std::size_t kListPadding = 64;

  // Listed features that repay waking another thread.
  static constexpr std::int64_t kListGrain = 512;

  // Where the features' sums are; the rest is in the first thread's from finish() on.
  enum class State { kClear, kListed, kSpread, kMerged };

  void clear();
  std::size_t choose_mine(std::int64_t thread, std::int64_t threads);
  std::int64_t take_sum(std::uint32_t j);

  SumLayout layout_;
  bool lists_;
  ThreadPool& pool_;
  std::vector<Thread> threads_;  // the first has the result
  std::vector<Thread*> parts_;   // those that took part in the last pass, the first always
  std::size_t touched_ = 0;      // listed by all of them
  State state_ = State::kClear;
};

template <class Ahead, class Take>
void GradientSums::consume(const Ahead& ahead, const Take& take) {
  const std::int64_t threads = pool_.threads_for(static_cast<std::int64_t>(touched_), kListGrain);
  pool_.run(threads, [&](std::int64_t thread) {
    const std::size_t count = choose_mine(thread, threads);
    const std::uint32_t* mine = threads_[static_cast<std::size_t>(thread)].mine.data();
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t later = mine[i + kListPadding];
      for (const Thread* part : parts_) __builtin_prefetch(part->sums.sums + later, 1);
      ahead(later);
      take(mine[i], take_sum(mine[i]));
    }
  });
  touched_ = 0;
  state_ = State::kClear;
}

inline std::int64_t GradientSums::take_sum(std::uint32_t j) {
  std::int64_t sum = 0;
  for (Thread* part : parts_) {
    sum += part->sums.sums[j];
    part->sums.sums[j] = 0;
  }
  return sum;
}

}  // namespace ossau
