#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "backend/backend.hpp"
#include "backend/solver_passes.hpp"
#include "core/interruption.hpp"
#include "train/training.hpp"

namespace ossau::test {

/// A backend that asks for an interruption when it is given its n-th step, or run of steps, or, by
/// a solver, its n-th point.
class InterruptingBackend : public Backend {
 public:
  InterruptingBackend(std::unique_ptr<Backend> backend, std::int64_t at)
      : backend_(std::move(backend)), left_(at) {}

  const BackendAttributes& attributes() const override { return backend_->attributes(); }
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
  void gradient_and_scores(RowSet set, int fixed_bits) override {
    backend_->gradient_and_scores(set, fixed_bits);
  }
  PredictionCounts count_predictions(double cut) override {
    return backend_->count_predictions(cut);
  }
  PairCounts count_pairs() override { return backend_->count_pairs(); }
  void ranking_keys(std::span<std::int64_t> keys) const override { backend_->ranking_keys(keys); }
  SumBuffer sums(MemorySpace where) override { return backend_->sums(where); }
  void set_sums(SumBuffer buffer) override { backend_->set_sums(buffer); }
  StepTotals totals() const override { return backend_->totals(); }
  SparseSums* sparse_sums() override { return backend_->sparse_sums(); }
  double gradient_max(double gradient_factor, double rate) override {
    return backend_->gradient_max(gradient_factor, rate);
  }
  void update(const StepParameters& step) override {
    backend_->update(step);
    count();
  }
  SolverPasses* solver_passes() override {
    return backend_->solver_passes() == nullptr ? nullptr : &counted_passes_;
  }
  StepGraphs* step_graphs() override {
    return backend_->step_graphs() == nullptr ? nullptr : &counted_graphs_;
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

  class CountedGraphs final : public StepGraphs {
   public:
    explicit CountedGraphs(InterruptingBackend& owner) : owner_(owner) {}
    void reserve(const BatchOrder& order) override {
      owner_.backend_->step_graphs()->reserve(order);
    }
    void run(const StepRun& run) override {
      owner_.backend_->step_graphs()->run(run);
      owner_.count();
    }

   private:
    InterruptingBackend& owner_;
  };

  class CountedPasses final : public SolverPasses {
   public:
    explicit CountedPasses(InterruptingBackend& owner) : owner_(owner) {}
    void reserve(std::size_t slots, std::size_t runs) override { passes().reserve(slots, runs); }
    std::span<std::int64_t> fused(const FusedPass& pass) override {
      const std::span<std::int64_t> sums = passes().fused(pass);
      owner_.count();
      return sums;
    }
    std::span<std::int64_t> hessian_times(const HessianPass& pass) override {
      return passes().hessian_times(pass);
    }
    std::span<std::int64_t> line(const LinePass& pass) override { return passes().line(pass); }
    std::span<std::int64_t> gram(ScoreSlot at) override { return passes().gram(at); }
    void add_scaled(float a, ScoreSlot x, ScoreSlot y) override { passes().add_scaled(a, x, y); }
    void subtract(ScoreSlot x, ScoreSlot y, ScoreSlot to) override { passes().subtract(x, y, to); }
    void copy(ScoreSlot from, ScoreSlot to) override { passes().copy(from, to); }
    float largest(ScoreSlot x) override { return passes().largest(x); }
    void get_scores(ScoreSlot from, std::span<float> scores) const override {
      passes().get_scores(from, scores);
    }

   private:
    SolverPasses& passes() const { return *owner_.backend_->solver_passes(); }

    InterruptingBackend& owner_;
  };

  std::unique_ptr<Backend> backend_;
  std::int64_t left_;
  CountedGraphs counted_graphs_{*this};
  CountedPasses counted_passes_{*this};
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
