#include "train/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "comm/single.hpp"
#include "comm/threads.hpp"
#include "core/clock.hpp"
#include "core/floating_point.hpp"
#include "core/log.hpp"
#include "data/read.hpp"
#include "ossau/error.hpp"
#include "train/preparation.hpp"
#include "train/trainer.hpp"
#include "train/update_rule.hpp"

namespace ossau {
namespace {

std::int64_t threads_per_rank(const RunConfig& config) {
  if (config.threads) return *config.threads;
  const auto cores = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  return std::max<std::int64_t>(1, cores / config.ranks);
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
          .nesterov = config.optimizer.nesterov,
          .momentum = config.optimizer.momentum,
          .penalty = make_penalty(config)};
}

// One rank, from rows in memory to a model.
TrainingResult train_rank(const Config& config, std::shared_ptr<const Dataset> dataset,
                          Communicator& communicator, TrainingObserver* observer) {
  const FloatingPointGuard default_arithmetic;
  const Stopwatch preparation_clock;
  communicator.set_position({.phase = "preparation"});
  PreparedData prepared = prepare(config, *dataset, communicator);
  const Schema schema = dataset->schema;
  dataset.reset();  // the last rank frees the rows

  const UpdateRule rule = choose_rule(config, prepared.layout);
  const std::int64_t threads = threads_per_rank(config.run);
  TrainerData data = trainer_data(config, prepared, rule);
  const auto backend = make_backend(config.run, threads, std::move(prepared.rows),
                                    model_setup(config, prepared, rule));
  const double preparation_s = preparation_clock.seconds();

  Trainer trainer(config, std::move(data), *backend, communicator, observer);
  if (observer != nullptr) {
    warn_of_dense_update(prepared, rule, trainer.batch_rows());
    observer->on_start({.rows = prepared.train_rows,
                        .validation_rows = prepared.validation_rows,
                        .features = prepared.transform.columns(),
                        .layout = prepared.layout == Layout::kDense ? "dense" : "sparse",
                        .device = backend->device(),
                        .simd = backend->simd(),
                        .ranks = config.run.ranks,
                        .threads = threads,
                        .epochs = config.training.epochs,
                        .steps_per_epoch = trainer.steps_per_epoch(),
                        .batch_size = trainer.batch_rows(),
                        .learning_rate = trainer.first_rate()});
  }
  TrainingResult result;
  result.summary = trainer.train();
  result.summary.time.read_s = preparation_s;
  result.summary.rows = prepared.train_rows;
  result.summary.validation_rows = prepared.validation_rows;
  result.summary.features = prepared.transform.columns();
  result.summary.layout = prepared.layout == Layout::kDense ? "dense" : "sparse";
  result.model = make_model(config, schema, prepared.transform, prepared.layout, trainer.weights());
  result.summary.nonzero_weights = std::count_if(
      result.model.weights.begin(), result.model.weights.end(), [](double w) { return w != 0; });
  return result;
}

// The error to show: a rank that failed by itself before those that only lost it.
void rethrow_culprit(const std::vector<std::exception_ptr>& errors) {
  std::exception_ptr victim;
  for (const std::exception_ptr& error : errors) {
    if (!error) continue;
    try {
      std::rethrow_exception(error);
    } catch (const CommError&) {
      if (!victim) victim = error;
    }
  }
  if (victim) std::rethrow_exception(victim);
}

// Every rank a thread of this process.
TrainingResult train_threads(const Config& config, std::shared_ptr<const Dataset> dataset,
                             TrainingObserver& observer) {
  ThreadGroup group(config.run.ranks, config.communication.timeout_s);
  const auto ranks = static_cast<std::size_t>(config.run.ranks);
  std::vector<std::exception_ptr> errors(ranks);
  TrainingResult result;
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank, dataset] {
      const auto communicator = group.communicator(static_cast<std::int64_t>(rank));
      try {
        TrainingResult mine =
            train_rank(config, dataset, *communicator, rank == 0 ? &observer : nullptr);
        if (rank == 0) result = std::move(mine);
      } catch (const std::exception& error) {
        errors[rank] = std::current_exception();
        communicator->abort(error.what());
      }
    });
  }
  dataset.reset();
  for (std::thread& thread : threads) thread.join();
  rethrow_culprit(errors);
  return result;
}

}  // namespace

TrainingResult run_training(const Config& config, TrainingObserver& observer) {
  const FloatingPointGuard default_arithmetic;
  const Stopwatch clock;
  auto dataset = std::make_shared<const Dataset>(read_dataset(config.data, config.model.positive));
  const double read_s = clock.seconds();
  TrainingResult result;
  if (config.run.ranks == 1) {
    const auto communicator = make_single_communicator();
    result = train_rank(config, std::move(dataset), *communicator, &observer);
  } else {
    result = train_threads(config, std::move(dataset), observer);
  }
  result.summary.time.read_s += read_s;
  result.summary.time.total_s = clock.seconds();
  return result;
}

}  // namespace ossau
