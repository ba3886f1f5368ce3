#include "backend/cpu/cpu_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arith/bits.hpp"
#include "arith/loss.hpp"
#include "backend/cpu/bare_pass.hpp"
#include "backend/cpu/cpu_solver_passes.hpp"
#include "backend/cpu/gradient_sums.hpp"
#include "backend/cpu/optimizer_state.hpp"
#include "backend/cpu/self_test.hpp"
#include "backend/cpu/tile_sharing.hpp"
#include "core/thread_pool.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

class CpuBackend : public Backend {
 public:
  CpuBackend(CpuKernels kernels, std::int64_t threads, Waiting waiting, BackendRows rows,
             ModelSetup setup, double solver_wake_s)
      : kernels_(kernels),
        attributes_{.device = "cpu", .unit = kernels.name, .memory = MemorySpace::kHost},
        pool_(threads, waiting),
        rows_(std::move(rows)),
        train_tiles_(whole_tiles(rows_.train.shards, rows_.train.owned)),
        validation_tiles_(whole_tiles(rows_.validation.shards, rows_.validation.owned)),
        sums_(rows_.train.features,
              keeps_untouched(setup.rule, model_rule(setup), {}) &&
                  std::holds_alternative<SparseTiles>(rows_.train.storage),
              pool_),
        state_(std::move(setup), pool_),
        solver_passes_(kernels_, pool_, rows_.train, train_tiles_, solver_wake_s) {
    self_test();
  }

  const BackendAttributes& attributes() const override { return attributes_; }

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
  void gradient_and_scores(RowSet set, int fixed_bits) override {
    const std::span<const TileSlice> slices = every_tile(set);
    scores_.resize(slices.size() * static_cast<std::size_t>(kTileRows));
    scored_ = set;
    pass(set, slices, fixed_bits, scores_.data());
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

  SparseSums* sparse_sums() override { return sums_.lists() ? &sums_ : nullptr; }

  double gradient_max(double gradient_factor, double rate) override {
    return state_.gradient_max(sums_.merged().data, gradient_factor, rate);
  }

  void update(const StepParameters& step) override { state_.update(sums_, step); }

  SolverPasses* solver_passes() override { return &solver_passes_; }

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
    pool_.share(static_cast<std::int64_t>(slices.size()),
                worthwhile_tiles(from, slices, numbers, pool_.wake_s()),
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
      visit(i, scores_[i], is_positive(signed_weight[i]));
    }
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
  BackendAttributes attributes_;
  ThreadPool pool_;
  BackendRows rows_;
  std::vector<TileSlice> train_tiles_;
  std::vector<TileSlice> validation_tiles_;
  GradientSums sums_;
  OptimizerState state_;
  AlignedVector<float> scores_;  // [tiles, 64]
  RowSet scored_ = RowSet::kTrain;
  CpuSolverPasses solver_passes_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(CpuKernels kernels, std::int64_t threads, Waiting waiting,
                                          BackendRows rows, ModelSetup setup,
                                          double solver_wake_s) {
  if (kernels.loss != setup.loss) throw std::logic_error("kernels of another loss");
  return std::make_unique<CpuBackend>(kernels, threads, waiting, std::move(rows), std::move(setup),
                                      solver_wake_s);
}

}  // namespace ossau
