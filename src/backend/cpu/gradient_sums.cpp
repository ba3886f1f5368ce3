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
  parts_.reserve(threads_.size());
  parts_.push_back(&threads_[0]);
  for (Thread& thread : threads_) {
    thread.memory.resize(layout_.size() + kSumPadding);
    thread.sums.sums = thread.memory.data();
    if (!lists) continue;
    thread.touched.resize(static_cast<std::size_t>(features) + kListPadding);
    thread.mine.resize(static_cast<std::size_t>(features) + kListPadding);
  }
}

// An entry is listed at most once, by one thread or another.
void GradientSums::start(std::int64_t entries) {
  clear();
  const bool list = lists_ && entries <= layout_.features;
  for (Thread& thread : threads_) {
    thread.sums.touched = list ? thread.touched.data() : nullptr;
    thread.sums.touched_count = 0;
    thread.took_part = false;
  }
  state_ = list ? State::kListed : State::kSpread;
}

ThreadSums& GradientSums::of(std::int64_t thread) {
  Thread& mine = threads_[static_cast<std::size_t>(thread)];
  mine.took_part = true;
  return mine.sums;
}

// Leaves zeros everywhere.
void GradientSums::clear() {
  if (state_ == State::kListed) {
    consume([](std::uint32_t) {}, [](std::uint32_t, std::int64_t) {});
  } else if (state_ != State::kClear) {
    if (state_ == State::kMerged) parts_.resize(1);
    pool_.split(layout_.features, kFeatureGrain,
                [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                  for (Thread* part : parts_) {
                    std::fill(part->memory.begin() + begin, part->memory.begin() + end, 0);
                  }
                });
  }
  std::int64_t* rest = threads_[0].memory.data() + layout_.intercept();
  std::fill_n(rest, layout_.size() - layout_.intercept(), 0);
}

void GradientSums::finish() {
  parts_.assign(1, &threads_[0]);
  touched_ = threads_[0].sums.touched_count;
  for (std::size_t i = 1; i < threads_.size(); ++i) {
    Thread& thread = threads_[i];
    if (!thread.took_part) continue;
    parts_.push_back(&thread);
    touched_ += thread.sums.touched_count;
    for (std::size_t k = layout_.intercept(); k < layout_.size(); ++k) {
      threads_[0].memory[k] += thread.memory[k];
      thread.memory[k] = 0;
    }
  }
}

SumBuffer GradientSums::merged() {
  std::int64_t* result = threads_[0].memory.data();
  if (state_ != State::kMerged && parts_.size() > 1) {
    pool_.split(layout_.features, kFeatureGrain,
                [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                  for (std::size_t part = 1; part < parts_.size(); ++part) {
                    std::int64_t* other = parts_[part]->memory.data();
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

bool GradientSums::listed() const {
  return state_ == State::kListed &&
         touched_ * kLeastShare <= static_cast<std::size_t>(layout_.features);
}

bool GradientSums::take(std::vector<FeatureSum>& entries) {
  if (!listed()) return false;
  for (const Thread* part : parts_) {
    for (std::size_t i = 0; i < part->sums.touched_count; ++i) {
      const std::uint32_t j = part->touched[i];
      const std::int64_t sum = take_sum(j);
      if (sum != 0) entries.push_back({.feature = j, .sum = sum});
    }
  }
  for (Thread* part : parts_) part->sums.touched_count = 0;
  touched_ = 0;
  return true;
}

void GradientSums::add(std::span<const FeatureSum> entries) {
  ThreadSums& sums = threads_[0].sums;
  std::uint32_t* const touched = threads_[0].touched.data();
  for (const FeatureSum& entry : entries) {
    sums.sums[entry.feature] += entry.sum;
    touched[sums.touched_count++] = static_cast<std::uint32_t>(entry.feature);
  }
  touched_ += entries.size();
  state_ = State::kListed;
}

std::span<std::int64_t> GradientSums::rest() {
  return {threads_[0].memory.data() + layout_.intercept(), layout_.size() - layout_.intercept()};
}

// Without branches or divisions: whose a feature is follows no pattern that a processor could
// learn.
std::size_t GradientSums::choose_mine(std::int64_t thread, std::int64_t threads) {
  std::uint32_t* mine = threads_[static_cast<std::size_t>(thread)].mine.data();
  std::size_t count = 0;
  for (const Thread* part : parts_) {
    for (std::size_t i = 0; i < part->sums.touched_count; ++i) {
      const std::uint32_t j = part->touched[i];
      mine[count] = j;
      const std::uint32_t mixed = (j >> kNeighbourBits) * kMix;
      const std::uint64_t owner =
          (std::uint64_t{mixed} * static_cast<std::uint64_t>(threads)) >> 32;
      count += owner == static_cast<std::uint64_t>(thread) ? 1 : 0;
    }
  }
  std::fill_n(mine + count, kListPadding, 0);
  return count;
}

}  // namespace ossau
