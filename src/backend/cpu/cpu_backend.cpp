#include "backend/cpu/cpu_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <new>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arith/bits.hpp"
#include "backend/cpu/bare_pass.hpp"
#include "backend/cpu/gradient_sums.hpp"
#include "backend/cpu/optimizer_state.hpp"
#include "backend/cpu/self_test.hpp"
#include "core/thread_pool.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

// Roughly what a pass takes: a tile's rows, and each of its stored numbers.
constexpr double kTileSeconds = 100e-9;
constexpr double kDenseSeconds = 30e-12;
constexpr double kSparseSeconds = 1e-9;

// Stored numbers of the tiles of `slices`; for sparse tiles at least their entries.
std::int64_t stored_numbers(const TileSet& tiles, std::span<const TileSlice> slices) {
  const auto count = static_cast<std::int64_t>(slices.size());
  const auto* sparse = std::get_if<SparseTiles>(&tiles.storage);
  if (sparse == nullptr) return count * tiles.features * kTileRows;
  std::int64_t numbers = 0;
  for (const TileSlice& slice : slices) {
    const auto place = static_cast<std::size_t>(slice.tile - tiles.owned.begin);
    numbers += (sparse->slice_start[place + 1] - sparse->slice_start[place]) * kTileRows +
               sparse->spill_start[place + 1] - sparse->spill_start[place];
  }
  return numbers;
}

class CpuBackend : public Backend {
 public:
  CpuBackend(CpuKernels kernels, std::int64_t threads, Waiting waiting, BackendRows rows,
             ModelSetup setup)
      : kernels_(kernels),
        pool_(threads, waiting),
        rows_(std::move(rows)),
        train_tiles_(whole_tiles(rows_.train.shards, rows_.train.owned)),
        validation_tiles_(whole_tiles(rows_.validation.shards, rows_.validation.owned)),
        sums_(rows_.train.features,
              setup.rule == UpdateRule::kScaled &&
                  std::holds_alternative<SparseTiles>(rows_.train.storage),
              pool_),
        state_(std::move(setup), pool_) {
    self_test();
  }

  std::string device() const override { return "cpu"; }
  std::string simd() const override { return kernels_.name; }

  void set_weights(std::span<const double> weights) override { state_.set_weights(weights); }
  void get_weights(std::span<double> weights) const override { state_.get_weights(weights); }
  ModelSnapshot snapshot() const override { return state_.snapshot(); }
  void restore(const ModelSnapshot& snapshot) override { state_.restore(snapshot); }
  void look_at(EvaluationPoint point) override { state_.look_at(point); }
  void adopt_evaluation_point() override { state_.adopt_evaluation_point(); }

  std::span<const TileSlice> every_tile(RowSet set) const override {
    return set == RowSet::kTrain ? train_tiles_ : validation_tiles_;
  }

  void gradient(RowSet set, std::span<const TileSlice> slices, int fixed_bits) override {
    pass(set, slices, fixed_bits, nullptr);
  }
  void gradient_and_scores(RowSet set, std::span<const TileSlice> slices, int fixed_bits) override {
    scores_.resize(slices.size() * static_cast<std::size_t>(kTileRows));
    scored_ = set;
    pass(set, slices, fixed_bits, scores_.data());
  }
  void get_scores(std::span<float> scores) const override {
    std::copy(scores_.begin(), scores_.end(), scores.begin());
  }

  PredictionCounts count_predictions(double cut) override {
    PredictionCounts counted;
    each_score([&](std::size_t, float score, bool positive) {
      const bool predicted = static_cast<double>(score) >= cut;
      ++counted.counts[(positive ? 2U : 0U) + (predicted ? 1U : 0U)];
    });
    return counted;
  }
  PairCounts count_pairs() override {
    std::vector<std::int64_t> keys(static_cast<std::size_t>(rows_here()));
    ranking_keys(keys);
    return ossau::count_pairs(keys);
  }
  void ranking_keys(std::span<std::int64_t> keys) const override {
    each_score(
        [&](std::size_t i, float score, bool positive) { keys[i] = ranking_key(score, positive); });
  }

  SumBuffer sums(MemorySpace) override { return sums_.merged(); }
  void set_sums(SumBuffer) override {}
  StepTotals totals() const override { return sums_.totals(); }

  bool lists_features() const override { return sums_.lists(); }
  bool take_features(std::vector<FeatureSum>& entries) override {
    if (!sums_.listed()) return false;
    sums_.take_listed(entries);
    return true;
  }
  void add_features(std::span<const FeatureSum> entries) override { sums_.add_listed(entries); }
  std::span<std::int64_t> rest_of_sums() override { return sums_.rest(); }

  double gradient_max(double gradient_factor, double rate) override {
    return state_.gradient_max(sums_.merged().data, gradient_factor, rate);
  }

  void update(const StepParameters& step) override { state_.update(sums_, step); }

  double bare_pass_s() override try {
    std::vector<AlignedVector<std::int64_t>> sums;
    if (std::holds_alternative<SparseTiles>(rows_.train.storage)) {
      const auto features = static_cast<std::size_t>(rows_.train.features);
      sums.assign(static_cast<std::size_t>(pool_.size()), AlignedVector<std::int64_t>(features));
    }
    return estimate_bare_pass_s(rows_.train, pool_, state_.scoring().values, sums);
  } catch (const std::bad_alloc&) {
    return 0;  // a finished training is worth more than its measurement
  }

 private:
  const TileSet& tiles(RowSet set) const {
    return set == RowSet::kTrain ? rows_.train : rows_.validation;
  }

  void pass(RowSet set, std::span<const TileSlice> slices, int fixed_bits, float* scores) {
    const TileSet& from = tiles(set);
    const std::int64_t numbers = stored_numbers(from, slices);
    const double fixed_scale = power_of_two(fixed_bits);
    const ScoringWeights weights = state_.scoring();
    sums_.start(numbers);
    pool_.share(static_cast<std::int64_t>(slices.size()), worthwhile_tiles(from, slices, numbers),
                [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
                  kernels_.gradient(from, slices, {begin, end}, weights, fixed_scale,
                                    sums_.of(thread), scores);
                });
    sums_.finish();
  }

  std::int64_t rows_here() const {
    const TileSet& from = tiles(scored_);
    return from.shards.rows_of_tiles(from.owned).size();
  }

  // visit(i, score, positive) for the rows that are here.  Only the last tile may lack rows: at the
  // end.
  template <class Visit>
  void each_score(const Visit& visit) const {
    const AlignedVector<float>& signed_weight = tiles(scored_).signed_weight;
    for (std::size_t i = 0; i < static_cast<std::size_t>(rows_here()); ++i) {
      visit(i, scores_[i], std::signbit(signed_weight[i]));
    }
  }

  // Tiles that repay waking a thread.
  std::int64_t worthwhile_tiles(const TileSet& from, std::span<const TileSlice> slices,
                                std::int64_t numbers) const {
    if (slices.empty()) return 1;
    const bool dense = std::holds_alternative<DenseTiles>(from.storage);
    const double tile_s = kTileSeconds + (dense ? kDenseSeconds : kSparseSeconds) *
                                             static_cast<double>(numbers) /
                                             static_cast<double>(slices.size());
    return static_cast<std::int64_t>(std::ceil(pool_.wake_s() / tile_s));
  }

  void self_test() {
    const std::string wrong = self_test_of(pool_);
    if (wrong.empty()) return;
    throw DeviceError(
        fmt::format("cpu: this processor or build computes {} otherwise than the arithmetic "
                    "contract needs ({})",
                    wrong, kSelfTestRemedy));
  }

  CpuKernels kernels_;
  ThreadPool pool_;
  BackendRows rows_;
  std::vector<TileSlice> train_tiles_;
  std::vector<TileSlice> validation_tiles_;
  GradientSums sums_;
  OptimizerState state_;
  AlignedVector<float> scores_;  // [slices of that pass, 64]
  RowSet scored_ = RowSet::kTrain;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(CpuKernels kernels, std::int64_t threads, Waiting waiting,
                                          BackendRows rows, ModelSetup setup) {
  return std::make_unique<CpuBackend>(kernels, threads, waiting, std::move(rows), std::move(setup));
}

}  // namespace ossau
