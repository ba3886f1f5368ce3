#include "backend/cpu/cpu_solver_passes.hpp"

#include <algorithm>
#include <cassert>
#include <variant>

#include "arith/bits.hpp"
#include "backend/cpu/tile_sharing.hpp"

namespace ossau {
namespace {

// Scores that repay waking a thread.
constexpr std::int64_t kScoreGrain = 16384;

}  // namespace

template <class Work>
void CpuSolverPasses::share_tiles(const Work& work) {
  const std::int64_t numbers = stored_numbers(tiles_, slices_);
  pool_.share(static_cast<std::int64_t>(slices_.size()),
              worthwhile_tiles(tiles_, slices_, numbers, wake_s_),
              [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
                work(thread, TilePart{tiles_, slices_, {begin, end}});
              });
}

template <class Work>
void CpuSolverPasses::share_scores(const Work& work) {
  // In tiles: kernels take whole registers.
  pool_.split(static_cast<std::int64_t>(slices_.size()), kScoreGrain / kTileRows,
              [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                work(static_cast<std::size_t>(begin * kTileRows),
                     static_cast<std::size_t>(end * kTileRows));
              });
}

template <class Add>
std::span<std::int64_t> CpuSolverPasses::sums_of(std::size_t runs, const Add& add) {
  GradientSums& sums = sums_for(runs);
  sums.start(static_cast<std::int64_t>(runs) * (tiles_.features + 1));
  share_tiles([&](std::int64_t thread, const TilePart& part) { add(part, sums.of(thread)); });
  sums.finish();
  return in_order(sums.merged().host(), runs);
}

// Several runs of d + 1 are one of so many features, an intercept behind them.
GradientSums& CpuSolverPasses::sums_for(std::size_t runs) {
  std::optional<GradientSums>& sums = sums_[runs - 1];
  if (!sums) {
    sums.emplace(static_cast<std::int64_t>(runs) * (tiles_.features + 1) - 1, false, pool_);
  }
  return *sums;
}

// Sums of sparse rows come feature by feature.
std::span<std::int64_t> CpuSolverPasses::in_order(std::span<std::int64_t> sums, std::size_t runs) {
  if (runs == 1 || std::holds_alternative<DenseTiles>(tiles_.storage)) return sums;
  ordered_.resize(sums.size());
  const std::int64_t length = tiles_.features + 1;
  pool_.split(length, kFeatureGrain, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (auto j = static_cast<std::size_t>(begin); j < static_cast<std::size_t>(end); ++j) {
      for (std::size_t k = 0; k < runs; ++k) {
        ordered_[k * static_cast<std::size_t>(length) + j] = sums[j * runs + k];
      }
    }
  });
  const std::size_t totals = runs * static_cast<std::size_t>(length);
  std::copy(sums.begin() + static_cast<std::ptrdiff_t>(totals), sums.end(),
            ordered_.begin() + static_cast<std::ptrdiff_t>(totals));
  return ordered_;
}

void CpuSolverPasses::reserve(std::size_t slots, std::size_t runs) {
  slots_.clear();
  for (std::size_t i = 0; i < slots; ++i) slots_.emplace_back(slot_size());
  sums_for(runs);
}

std::span<std::int64_t> CpuSolverPasses::fused(const FusedPass& pass) {
  float* to = slot(pass.to);
  return sums_of(pass.runs(), [&](const TilePart& part, ThreadSums& sums) {
    if (pass.runs() > 1) return kernels_.solver.fused(part, pass, sums, to);
    const ScoringWeights weights{
        .values = pass.point.weights.data(), .scale = 1, .intercept = pass.point.intercept};
    kernels_.gradient(part.tiles, part.slices, part.range, weights, power_of_two(pass.fixed_bits),
                      sums, to);
  });
}

std::span<std::int64_t> CpuSolverPasses::hessian_times(const HessianPass& pass) {
  assert(pass.at != pass.to);
  const float* at = slot(pass.at);
  float* to = slot(pass.to);
  return sums_of(1, [&](const TilePart& part, ThreadSums& sums) {
    kernels_.solver.hessian_times(part, pass, sums, at, to);
  });
}

std::span<std::int64_t> CpuSolverPasses::line(const LinePass& pass) {
  assert(pass.steps.size() <= kMostLineSteps);
  line_sums_.assign(static_cast<std::size_t>(pool_.size()), LineSums{});
  const LineScores scores{.from = slot(pass.from), .along = slot(pass.along)};
  share_tiles([&](std::int64_t thread, const TilePart& part) {
    kernels_.solver.line(part, pass, scores,
                         line_sums_[static_cast<std::size_t>(thread)].numbers.data());
  });
  std::span<std::int64_t> sums(line_sums_[0].numbers.data(),
                               pass.steps.size() * LineSumLayout::kNumbers);
  for (std::size_t i = 1; i < line_sums_.size(); ++i) {
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += line_sums_[i].numbers[k];
  }
  return sums;
}

std::span<std::int64_t> CpuSolverPasses::gram(ScoreSlot at) {
  if (!gram_) gram_.emplace(kernels_.solver.gram, pool_, tiles_, slices_, wake_s_);
  return gram_->add(slot(at));
}

void CpuSolverPasses::add_scaled(float a, ScoreSlot x, ScoreSlot y) {
  const float* from = slot(x);
  float* to = slot(y);
  share_scores([&](std::size_t begin, std::size_t end) {
    kernels_.solver.add_scaled(a, from + begin, to + begin, end - begin);
  });
}

void CpuSolverPasses::subtract(ScoreSlot x, ScoreSlot y, ScoreSlot to) {
  const float* from = slot(x);
  const float* taken = slot(y);
  float* result = slot(to);
  share_scores([&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) result[i] = from[i] - taken[i];
  });
}

void CpuSolverPasses::copy(ScoreSlot from, ScoreSlot to) {
  const float* source = slot(from);
  float* result = slot(to);
  share_scores([&](std::size_t begin, std::size_t end) {
    std::copy(source + begin, source + end, result + begin);
  });
}

float CpuSolverPasses::largest(ScoreSlot x) {
  // Absolute values have the order of their bits, infinity above all numbers and below every NaN.
  constexpr std::uint32_t kInfinity = 0x7f800000u;
  const float* scores = slot(x);
  const auto rows = static_cast<std::size_t>(tiles_.shards.rows_of_tiles(tiles_.owned).size());
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    largest = std::max(largest, bit_copy<std::uint32_t>(scores[i]) & 0x7fffffffu);
  }
  return bit_copy<float>(std::min(largest, kInfinity));
}

void CpuSolverPasses::get_scores(ScoreSlot from, std::span<float> scores) const {
  std::copy_n(slot(from), scores.size(), scores.begin());
}

}  // namespace ossau
