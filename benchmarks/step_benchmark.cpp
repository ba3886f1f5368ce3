// What a training step costs: whole epochs of a real Trainer, beside the passes over rows that are
// in them.

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arith/fixed_point.hpp"
#include "comm/single.hpp"
#include "costs.hpp"
#include "data/batch_order.hpp"
#include "loaded_rows.hpp"
#include "program.hpp"
#include "samples.hpp"
#include "train/trainer.hpp"
#include "train/update_rule.hpp"

namespace ossau::bench {
namespace {

struct Job {
  std::string name;
  std::function<TileSet()> make_rows;
  Layout layout = Layout::kDense;
  std::int64_t batch_rows = 0;
  std::int64_t epochs = 1;
};

// A training set up as run_training() does it, and its timers.
class Training {
 public:
  Training(const Job& job, std::int64_t threads) {
    config_.model.l2 = 1e-6;
    config_.training.epochs = job.epochs;
    config_.training.batch_size = job.batch_rows;
    rule_ = choose_rule(config_, job.layout);
    TileSet rows = job.make_rows();
    cost_ = gradient_cost(rows);
    shards_ = rows.shards;
    features_ = rows.features;
    // A safe rate: one over the curvature of rows with this many entries, none above 1.
    const double entries = cost_.entries / static_cast<double>(shards_.rows());
    rate_ = 4 / (entries + 1);
    ModelSetup setup;
    setup.rule = rule_;
    setup.penalty = make_penalty(config_);
    loaded_.emplace(load_rows(std::move(rows), threads, std::move(setup)));
  }

  const PassCost& pass_cost() const { return cost_; }
  std::int64_t steps_per_epoch() const { return order().steps_per_epoch(); }
  void full_pass() { loaded_->full_pass(); }

  /// Seconds of a step of a whole training, validation and evaluation apart.
  double step_s() {
    const TrainerData data{.shards = shards_,
                           .train = loaded_->info,
                           .validation = std::nullopt,
                           .start = first_weights(config_.model, loaded_->info),
                           .first_rate = rate_,
                           .penalty = make_penalty(config_),
                           .rule = rule_,
                           .features = features_};
    Trainer trainer(config_, data, *loaded_->backend, *communicator_, nullptr);
    const Summary summary = trainer.train();
    return summary.time.train_s / static_cast<double>(summary.steps);
  }

  /// Seconds of a step's gradient: nothing is reduced or checked.  A step that does not move puts
  /// the sums back to zero untimed, as the update of a training does before the next gradient.
  double gradient_s() {
    if (batches_.empty()) batches_ = first_epoch(order(), loaded_->info.owned_tiles);
    const int fixed_bits = fixed_point_bits(*config_.training.batch_size);
    double seconds = 0;
    for (const std::vector<TileSlice>& batch : batches_) {
      seconds += seconds_of([&] { loaded_->backend->gradient(RowSet::kTrain, batch, fixed_bits); });
      loaded_->backend->update({.rate = 0, .gradient_factor = 1, .scale = 1});
    }
    return seconds / static_cast<double>(batches_.size());
  }

 private:
  BatchOrder order() const {
    return {shards_, *config_.training.batch_size, config_.training.seed};
  }

  Config config_;
  UpdateRule rule_ = UpdateRule::kDescent;
  PassCost cost_;
  Shards shards_{0, 1};
  std::int64_t features_ = 0;
  double rate_ = 0;
  std::optional<LoadedRows> loaded_;
  std::unique_ptr<Communicator> communicator_ = make_single_communicator();
  std::vector<std::vector<TileSlice>> batches_;
};

// Everything in seconds and bytes of one step.
Pair step_pair(Training& training, std::int64_t threads) {
  const auto steps = static_cast<double>(training.steps_per_epoch());
  const PassCost& pass = training.pass_cost();
  Pair pair;
  pair.work = [&training] { return training.step_s(); };
  pair.bytes = pass.bytes / steps;
  pair.flops = pass.flops / steps;
  pair.entries = pass.entries / steps;
  pair.threads = threads;
  return pair;
}

using BoundOf = std::function<double(double reference_s)>;

// What a step is measured beside.
struct Reference {
  const char* name;
  Timed (*of)(Training& training);
};

Timed share_of_full_pass(Training& training) {
  const Timed pass_s = repeated([&training] { training.full_pass(); });
  const auto steps = static_cast<double>(training.steps_per_epoch());
  return [pass_s, steps] { return pass_s() / steps; };
}

Timed gradient_alone(Training& training) {
  return [&training] { return training.gradient_s(); };
}

constexpr Reference kShareOfFullPass{"share of a full pass", share_of_full_pass};
constexpr Reference kGradientAlone{"gradient alone", gradient_alone};

void add_job(const Effort& effort, const Job& job, const Reference& reference,
             const BoundOf& bound_s) {
  for (const std::int64_t threads : effort.threads) {
    add_row(effort, fmt::format("step/{}/threads={}", job.name, threads),
            [=](benchmark::State& state) {
              Training training(job, threads);
              Pair pair = step_pair(training, threads);
              pair.reference = reference.of(training);
              pair.reference_name = reference.name;
              pair.bound_s = bound_s;
              measure_pairs(state, pair);
            });
  }
}

}  // namespace

void add_rows(const Effort& effort) {
  const Job dense{.name = "dense/d=28/batch=1024",
                  .make_rows = [=] { return make_dense_rows(effort.size(100'000, 3'000), 28); },
                  .batch_rows = 1024,
                  .epochs = effort.size(10, 1)};
  add_job(effort, dense, kShareOfFullPass, [](double share_s) { return 2 * share_s + 3e-6; });

  // 1,000 steps, eight an epoch, in 20 ms.
  const Job workshop{.name = "workshop/d=12/batch=1000",
                     .make_rows = [] { return make_dense_rows(7'513, 12); },
                     .batch_rows = 1000,
                     .epochs = effort.size(125, 1)};
  add_job(effort, workshop, kShareOfFullPass, [](double) { return 20e-6; });

  for (const std::int64_t batch_rows : {1'024, 16'384}) {
    const SparseShape shape{.rows = effort.size(262'144, 20'000)};
    const Job wide{.name = fmt::format("sparse_ones/d=1000000/batch={}", batch_rows),
                   .make_rows = [=] { return make_sparse_rows(shape); },
                   .layout = Layout::kSparse,
                   .batch_rows = batch_rows};
    add_job(effort, wide, kGradientAlone, [](double gradient_s) { return 3 * gradient_s; });
  }
}

}  // namespace ossau::bench
