#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "backend/cpu/cpu_gram.hpp"
#include "backend/cpu/gradient_sums.hpp"
#include "backend/cpu/kernels.hpp"
#include "backend/solver_passes.hpp"
#include "core/aligned.hpp"
#include "core/thread_pool.hpp"
#include "data/tiles.hpp"

namespace ossau {

/// Passes for solvers over tiles in this machine's memory.
class CpuSolverPasses : public SolverPasses {
 public:
  /// slices: all of `tiles`, whole and in order.  All but the kernels must outlive this.
  CpuSolverPasses(const CpuKernels& kernels, ThreadPool& pool, const TileSet& tiles,
                  std::span<const TileSlice> slices, double wake_s)
      : kernels_(kernels), pool_(pool), tiles_(tiles), slices_(slices), wake_s_(wake_s) {}

  void reserve(std::size_t slots, std::size_t runs) override;

  std::span<std::int64_t> fused(const FusedPass& pass) override;
  std::span<std::int64_t> hessian_times(const HessianPass& pass) override;
  std::span<std::int64_t> line(const LinePass& pass) override;
  std::span<std::int64_t> gram(ScoreSlot at) override;

  void add_scaled(float a, ScoreSlot x, ScoreSlot y) override;
  void subtract(ScoreSlot x, ScoreSlot y, ScoreSlot to) override;
  void copy(ScoreSlot from, ScoreSlot to) override;
  float largest(ScoreSlot x) override;
  void get_scores(ScoreSlot from, std::span<float> scores) const override;

 private:
  static constexpr std::size_t kMostRuns = 3;

  // A thread's sums along a line, alone on its cache lines.
  struct alignas(kAlignment) LineSums {
    std::array<std::int64_t, kMostLineSteps * LineSumLayout::kNumbers> numbers;
  };

  std::size_t slot_size() const { return slices_.size() * static_cast<std::size_t>(kTileRows); }
  float* slot(ScoreSlot which) { return slots_[static_cast<std::size_t>(which)].data(); }
  const float* slot(ScoreSlot which) const {
    return slots_[static_cast<std::size_t>(which)].data();
  }

  /// Calls work(thread, part) for parts of all tiles.
  template <class Work>
  void share_tiles(const Work& work);
  /// Calls work(begin, end) for parts of a slot.
  template <class Work>
  void share_scores(const Work& work);
  /// The sums of a pass with so many runs: add(part, sums of a thread) for parts of all tiles.
  template <class Add>
  std::span<std::int64_t> sums_of(std::size_t runs, const Add& add);
  GradientSums& sums_for(std::size_t runs);
  std::span<std::int64_t> in_order(std::span<std::int64_t> sums, std::size_t runs);

  CpuKernels kernels_;
  ThreadPool& pool_;
  const TileSet& tiles_;
  std::span<const TileSlice> slices_;
  double wake_s_;
  std::vector<UntouchedVector<float>> slots_;                // each [tiles, 64]
  std::array<std::optional<GradientSums>, kMostRuns> sums_;  // [runs - 1], made when needed
  AlignedVector<std::int64_t> ordered_;                      // SolverSumLayout
  std::optional<CpuGram> gram_;                              // made when needed
  std::vector<LineSums> line_sums_;                          // [threads]
};

}  // namespace ossau
