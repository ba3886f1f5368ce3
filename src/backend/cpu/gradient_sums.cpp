#include "backend/cpu/gradient_sums.hpp"

#include <algorithm>

namespace ossau {
namespace {

// With more than this share of the features touched, going through all of them in order is faster
// than going to each in the order of the rows.
constexpr std::size_t kLeastShare = 4;

// Neighbours share cache lines, of sums and of weights: they go to one thread.
constexpr int kNeighbourBits = 4;
constexpr std::uint32_t kMix = 0x9e3779b9;  // an odd number without pattern: 2^32 / golden ratio

}  // namespace

GradientSums::GradientSums(std::int64_t features, bool lists, ThreadPool& pool)
    : layout_{features},
      lists_(lists),
      pool_(pool),
      threads_(static_cast<std::size_t>(pool.size())) {
  for (Thread& thread : threads_) {
    thread.memory.resize(layout_.size() + kSumPadding);
    if (lists) {
      thread.touched.resize(static_cast<std::size_t>(features) + kListPadding);
      thread.mine.resize(static_cast<std::size_t>(features) + kListPadding);
    }
    thread.sums.sums = thread.memory.data();
  }
}

void GradientSums::start(std::int64_t entries) {
  clear();
  const bool list = lists_ && entries <= layout_.features;
  for (Thread& thread : threads_) {
    thread.sums.touched = list ? thread.touched.data() : nullptr;
    thread.sums.touched_count = 0;
  }
  state_ = list ? State::kListed : State::kSpread;
}

// Leaves zeros everywhere.
void GradientSums::clear() {
  if (state_ == State::kListed) {
    consume([](std::uint32_t) {}, [](std::uint32_t, std::int64_t) {});
  } else if (state_ != State::kClear) {
    const std::size_t dirty = state_ == State::kMerged ? 1 : threads_.size();
    pool_.split(layout_.features, kFeatureGrain,
                [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                  for (std::size_t thread = 0; thread < dirty; ++thread) {
                    std::int64_t* sums = threads_[thread].memory.data();
                    std::fill(sums + begin, sums + end, 0);
                  }
                });
  }
  std::int64_t* rest = threads_[0].memory.data() + layout_.intercept();
  std::fill_n(rest, layout_.size() - layout_.intercept(), 0);
}

void GradientSums::finish() {
  for (std::size_t thread = 1; thread < threads_.size(); ++thread) {
    for (std::size_t i = layout_.intercept(); i < layout_.size(); ++i) {
      threads_[0].memory[i] += threads_[thread].memory[i];
      threads_[thread].memory[i] = 0;
    }
  }
}

SumBuffer GradientSums::merged() {
  std::int64_t* result = threads_[0].memory.data();
  if (state_ != State::kMerged && threads_.size() > 1) {
    pool_.split(layout_.features, kFeatureGrain,
                [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                  for (std::size_t thread = 1; thread < threads_.size(); ++thread) {
                    std::int64_t* other = threads_[thread].memory.data();
                    for (std::int64_t j = begin; j < end; ++j) result[j] += other[j];
                    std::fill(other + begin, other + end, 0);
                  }
                });
  }
  state_ = State::kMerged;
  return {result, layout_.size(), MemorySpace::kHost};
}

StepTotals GradientSums::totals() const {
  const std::int64_t* totals = threads_[0].memory.data() + layout_.totals();
  return {.loss_floors = totals[0],
          .loss_fractions = totals[1],
          .not_finite = totals[2],
          .clamped = totals[3]};
}

std::size_t GradientSums::touched() const {
  std::size_t count = 0;
  for (const Thread& thread : threads_) count += thread.sums.touched_count;
  return count;
}

bool GradientSums::listed() const {
  return state_ == State::kListed &&
         touched() * kLeastShare <= static_cast<std::size_t>(layout_.features);
}

// Without branches or divisions: whose a feature is follows no pattern that a processor could
// learn.
std::size_t GradientSums::choose_mine(std::int64_t thread) {
  std::uint32_t* mine = threads_[static_cast<std::size_t>(thread)].mine.data();
  const std::uint64_t threads = threads_.size();
  std::size_t count = 0;
  for (const Thread& other : threads_) {
    for (std::size_t i = 0; i < other.sums.touched_count; ++i) {
      const std::uint32_t j = other.touched[i];
      mine[count] = j;
      const std::uint64_t mixed = (j >> kNeighbourBits) * kMix;
      count += mixed * threads >> 32 == static_cast<std::uint64_t>(thread) ? 1 : 0;
    }
  }
  std::fill_n(mine + count, kListPadding, 0);
  return count;
}

}  // namespace ossau
