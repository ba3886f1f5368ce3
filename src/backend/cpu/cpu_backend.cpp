#include "backend/cpu/cpu_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "arith/bits.hpp"
#include "arith/self_test.hpp"
#include "backend/cpu/bare_pass.hpp"
#include "backend/cpu/optimizer_state.hpp"
#include "core/thread_pool.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

// Tiles that a thread should have before another is worth waking.
constexpr std::int64_t kTileGrain = 4;

class CpuBackend : public Backend {
 public:
  CpuBackend(CpuKernels kernels, std::int64_t threads, BackendRows rows, ModelSetup setup)
      : kernels_(kernels),
        pool_(threads),
        rows_(std::move(rows)),
        layout_{rows_.train.features},
        state_(std::move(setup), pool_),
        sums_(static_cast<std::size_t>(threads)) {
    for (AlignedVector<std::int64_t>& sums : sums_) sums.resize(layout_.size() + kSumPadding);
    self_test();
  }

  std::string device() const override { return "cpu"; }
  std::string simd() const override { return kernels_.name; }

  void set_weights(std::span<const double> weights) override { state_.set_weights(weights); }
  void get_weights(std::span<double> weights) const override { state_.get_weights(weights); }
  void look_at(EvaluationPoint point) override { state_.look_at(point); }
  void adopt_evaluation_point() override { state_.adopt_evaluation_point(); }

  void gradient(RowSet set, std::span<const TileSlice> slices, int fixed_bits) override {
    const double fixed_scale = power_of_two(fixed_bits);
    const ScoringWeights weights = state_.scoring();
    for (AlignedVector<std::int64_t>& sums : sums_) std::fill(sums.begin(), sums.end(), 0);
    pool_.split(static_cast<std::int64_t>(slices.size()), kTileGrain,
                [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
                  kernels_.gradient(tiles(set),
                                    slices.subspan(static_cast<std::size_t>(begin),
                                                   static_cast<std::size_t>(end - begin)),
                                    weights, fixed_scale,
                                    sums_[static_cast<std::size_t>(thread)].data());
                });
    merge_threads();
  }

  SumBuffer sums() override { return {sums_[0].data(), layout_.size(), MemorySpace::kHost}; }

  StepTotals totals() const override {
    const std::int64_t* totals = sums_[0].data() + layout_.totals();
    return {.loss_floors = totals[0],
            .loss_fractions = totals[1],
            .not_finite = totals[2],
            .clamped = totals[3]};
  }

  double gradient_max(double gradient_factor, double rate) const override {
    return state_.gradient_max(sums_[0].data(), gradient_factor, rate);
  }

  void update(const StepParameters& step) override { state_.update(sums_[0].data(), step); }

  void scores(RowSet set, std::span<float> scores) override {
    const TileSet& from = tiles(set);
    // Whole tiles are scored; the rows that the last one lacks are cut off.
    AlignedVector<float> padded(static_cast<std::size_t>(from.owned.size() * kTileRows));
    const ScoringWeights weights = state_.scoring();
    pool_.split(from.owned.size(), kTileGrain,
                [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                  kernels_.scores(from, {begin, end}, weights, padded.data() + begin * kTileRows);
                });
    std::copy_n(padded.begin(), scores.size(), scores.begin());
  }

  double bare_pass_s() override {
    return estimate_bare_pass_s(rows_.train, pool_, state_.scoring().values, sums_);
  }

 private:
  const TileSet& tiles(RowSet set) const {
    return set == RowSet::kTrain ? rows_.train : rows_.validation;
  }

  void merge_threads() {
    if (sums_.size() == 1) return;
    pool_.split(static_cast<std::int64_t>(layout_.size()), kFeatureGrain,
                [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                  for (std::size_t thread = 1; thread < sums_.size(); ++thread) {
                    for (auto j = static_cast<std::size_t>(begin);
                         j < static_cast<std::size_t>(end); ++j) {
                      sums_[0][j] += sums_[thread][j];
                    }
                  }
                });
  }

  void self_test() {
    std::vector<std::string> failed(sums_.size());
    pool_.run([&](std::int64_t thread) {
      failed[static_cast<std::size_t>(thread)] = arithmetic_self_test();
    });
    for (const std::string& what : failed) {
      if (what.empty()) continue;
      throw DeviceError(fmt::format(
          "cpu: this processor or build computes {} otherwise than the arithmetic contract needs "
          "(rebuild without fast-math options)",
          what));
    }
  }

  CpuKernels kernels_;
  ThreadPool pool_;
  BackendRows rows_;
  SumLayout layout_;
  OptimizerState state_;
  std::vector<AlignedVector<std::int64_t>> sums_;  // one for each thread; the first is the result
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(CpuKernels kernels, std::int64_t threads,
                                          BackendRows rows, ModelSetup setup) {
  return std::make_unique<CpuBackend>(kernels, threads, std::move(rows), std::move(setup));
}

}  // namespace ossau
