#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "backend/backend.hpp"
#include "core/interruption.hpp"
#include "train/training.hpp"

namespace ossau::test {

/// A backend that asks for an interruption when it is given its n-th step, or run of steps.
class InterruptingBackend final : public Backend {
 public:
  InterruptingBackend(std::unique_ptr<Backend> backend, std::int64_t at)
      : backend_(std::move(backend)), left_(at) {}

  std::string device() const override { return backend_->device(); }
  std::string simd() const override { return backend_->simd(); }
  void set_weights(std::span<const double> weights) override { backend_->set_weights(weights); }
  void get_weights(std::span<double> weights) const override { backend_->get_weights(weights); }
  ModelSnapshot snapshot() const override { return backend_->snapshot(); }
  void restore(const ModelSnapshot& snapshot) override { backend_->restore(snapshot); }
  std::span<const TileSlice> every_tile(RowSet set) const override {
    return backend_->every_tile(set);
  }
  void gradient(RowSet set, std::span<const TileSlice> slices, int fixed_bits) override {
    backend_->gradient(set, slices, fixed_bits);
  }
  void gradient_and_scores(RowSet set, std::span<const TileSlice> slices, int fixed_bits) override {
    backend_->gradient_and_scores(set, slices, fixed_bits);
  }
  void get_scores(std::span<float> scores) const override { backend_->get_scores(scores); }
  PredictionCounts count_predictions(double cut) override {
    return backend_->count_predictions(cut);
  }
  PairCounts count_pairs() override { return backend_->count_pairs(); }
  void ranking_keys(std::span<std::int64_t> keys) const override { backend_->ranking_keys(keys); }
  MemorySpace memory() const override { return backend_->memory(); }
  SumBuffer sums(MemorySpace where) override { return backend_->sums(where); }
  void set_sums(SumBuffer buffer) override { backend_->set_sums(buffer); }
  StepTotals totals() const override { return backend_->totals(); }
  bool lists_features() const override { return backend_->lists_features(); }
  bool take_features(std::vector<FeatureSum>& entries) override {
    return backend_->take_features(entries);
  }
  void add_features(std::span<const FeatureSum> entries) override {
    backend_->add_features(entries);
  }
  std::span<std::int64_t> rest_of_sums() override { return backend_->rest_of_sums(); }
  double gradient_max(double gradient_factor, double rate) override {
    return backend_->gradient_max(gradient_factor, rate);
  }
  void update(const StepParameters& step) override {
    backend_->update(step);
    count();
  }
  bool takes_runs() const override { return backend_->takes_runs(); }
  void run(const StepRun& run) override {
    backend_->run(run);
    count();
  }
  void look_at(EvaluationPoint point) override { backend_->look_at(point); }
  void adopt_evaluation_point() override { backend_->adopt_evaluation_point(); }
  double bare_pass_s() override { return backend_->bare_pass_s(); }

 private:
  // Of one rank the request comes after its sums have gone out, of several perhaps before another
  // rank's: it is answered at the end of this step or of the next.
  void count() {
    if (--left_ == 0) request_interruption();
  }

  std::unique_ptr<Backend> backend_;
  std::int64_t left_;
};

/// `make`, with an interruption at the n-th step of one rank.
inline BackendMaker interrupting(BackendMaker make, std::int64_t at, std::int64_t rank) {
  return [make = std::move(make), at, rank](const RunConfig& config, RankInfo mine,
                                            std::int64_t threads, BackendRows rows,
                                            ModelSetup setup) -> std::unique_ptr<Backend> {
    auto backend = make(config, mine, threads, std::move(rows), std::move(setup));
    if (mine.rank != rank) return backend;
    return std::make_unique<InterruptingBackend>(std::move(backend), at);
  };
}

}  // namespace ossau::test
