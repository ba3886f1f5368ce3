#include "train/training.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "comm/launch.hpp"
#include "core/clock.hpp"
#include "core/floating_point.hpp"
#include "core/log.hpp"
#include "core/machine.hpp"
#include "core/thread_pool.hpp"
#include "data/read.hpp"
#include "ossau/error.hpp"
#include "train/preparation.hpp"
#include "train/trainer.hpp"
#include "train/update_rule.hpp"

namespace ossau {
namespace {

std::int64_t threads_per_rank(const RunConfig& config) {
  if (config.threads) return *config.threads;
  return std::max<std::int64_t>(1, usable_cores() / config.ranks);
}

Model make_model(const Config& config, const Schema& schema, const ColumnTransform& transform,
                 Layout layout, const std::vector<double>& weights) {
  Model model;
  model.weights.assign(weights.begin(), weights.end() - 1);
  model.intercept = {weights.back()};
  model.shift = transform.shift;
  model.scale = transform.scale;
  model.exponent = transform.exponent;
  model.schema = schema;
  model.layout = layout;
  model.config = config;
  return model;
}

TrainerData trainer_data(const Config& config, const PreparedData& prepared, UpdateRule rule) {
  const Penalty penalty = make_penalty(config);
  TrainerData data{.shards = prepared.rows.train.shards,
                   .train = RowSetInfo(RowSet::kTrain, prepared.rows.train),
                   .validation = std::nullopt,
                   .first_rate = config.optimizer.learning_rate.value_or(
                       safe_learning_rate(prepared.lipschitz, penalty)),
                   .penalty = penalty,
                   .rule = rule,
                   .features = prepared.transform.columns()};
  if (prepared.validation_rows > 0) {
    data.validation.emplace(RowSet::kValidation, prepared.rows.validation);
  }
  return data;
}

ModelSetup model_setup(const Config& config, const PreparedData& prepared, UpdateRule rule) {
  return {.outputs = 1,
          .intercept = config.model.intercept,
          .exponent_power = prepared.transform.exponent_power,
          .rule = rule,
          .momentum = config.optimizer.momentum,
          .penalty = make_penalty(config)};
}

const char* layout_name(Layout layout) { return layout == Layout::kDense ? "dense" : "sparse"; }

TrainingStart training_start(const Config& config, const PreparedData& prepared,
                             const Backend& backend, const Trainer& trainer) {
  return {.rows = prepared.train_rows,
          .validation_rows = prepared.validation_rows,
          .features = prepared.transform.columns(),
          .layout = layout_name(prepared.layout),
          .device = backend.device(),
          .simd = backend.simd(),
          .ranks = config.run.ranks,
          .threads = threads_per_rank(config.run),
          .epochs = config.training.epochs,
          .steps_per_epoch = trainer.steps_per_epoch(),
          .batch_size = trainer.batch_rows(),
          .learning_rate = trainer.first_rate()};
}

void complete(Summary& summary, const PreparedData& prepared, const std::vector<double>& weights) {
  summary.rows = prepared.train_rows;
  summary.validation_rows = prepared.validation_rows;
  summary.features = prepared.transform.columns();
  summary.layout = layout_name(prepared.layout);
  summary.speed.entries =
      prepared.layout == Layout::kDense ? summary.rows * summary.features : prepared.entries;
  summary.nonzero_weights =
      std::count_if(weights.begin(), weights.end() - 1, [](double w) { return w != 0; });
}

PreparedData prepare_rows(const Config& config, const Dataset& dataset,
                          Communicator& communicator) {
  const std::int64_t threads = threads_per_rank(config.run);
  ThreadPool pool(threads, waiting_for(threads * config.run.ranks));
  return prepare(config, dataset, communicator, pool);
}

// One rank, from rows in memory to a model.  Rank 0 lets go of `dataset` once all are ready.
TrainingResult train_rank(const Config& config, std::optional<Dataset>& dataset,
                          Communicator& communicator, TrainingObserver* observer) {
  const FloatingPointGuard default_arithmetic;
  const Stopwatch preparation_clock;
  communicator.set_position({.phase = "preparation"});
  PreparedData prepared = prepare_rows(config, *dataset, communicator);
  const Schema schema = dataset->schema;
  communicator.barrier("preparation");
  if (communicator.rank().rank == 0) dataset.reset();  // tiles hold the rows now

  const UpdateRule rule = choose_rule(config, prepared.layout);
  TrainerData data = trainer_data(config, prepared, rule);
  const auto backend = make_backend(config.run, threads_per_rank(config.run),
                                    std::move(prepared.rows), model_setup(config, prepared, rule));
  const double preparation_s = preparation_clock.seconds();

  Trainer trainer(config, std::move(data), *backend, communicator, observer);
  if (observer != nullptr) {
    warn_of_dense_update(prepared, rule, trainer.batch_rows());
    observer->on_start(training_start(config, prepared, *backend, trainer));
  }
  TrainingResult result;
  result.summary = trainer.train();
  result.summary.time.read_s = preparation_s;
  complete(result.summary, prepared, trainer.weights());
  result.model = make_model(config, schema, prepared.transform, prepared.layout, trainer.weights());
  return result;
}

}  // namespace

TrainingResult run_training(const Config& config, TrainingObserver& observer) {
  const FloatingPointGuard default_arithmetic;
  const Stopwatch clock;
  std::optional<Dataset> dataset = read_dataset(config.data, config.model.positive);
  const double read_s = clock.seconds();
  if (config.run.device == Device::kAuto) {
    log_info("run.device: auto: this build has no CUDA backend; training on the CPU");
  }
  TrainingResult result;
  run_ranks(config, [&](Communicator& communicator) {
    const bool first = communicator.rank().rank == 0;
    TrainingResult mine = train_rank(config, dataset, communicator, first ? &observer : nullptr);
    if (first) result = std::move(mine);
  });
  result.summary.time.read_s += read_s;
  result.summary.time.total_s = clock.seconds();
  return result;
}

}  // namespace ossau
