#include "train/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "backend/device_choice.hpp"
#include "comm/launch.hpp"
#include "config/check.hpp"
#include "config/method_keys.hpp"
#include "core/clock.hpp"
#include "core/floating_point.hpp"
#include "core/log.hpp"
#include "core/machine.hpp"
#include "core/thread_pool.hpp"
#include "data/read.hpp"
#include "ossau/error.hpp"
#include "train/checkpoints.hpp"
#include "train/method.hpp"
#include "train/preparation.hpp"
#include "train/rank_reduce.hpp"
#include "train/resume.hpp"
#include "train/solver_trainer.hpp"
#include "train/trainer.hpp"
#include "train/update_rule.hpp"
#include "train/warm_start.hpp"
#include "train/warnings.hpp"

namespace ossau {
namespace {

std::int64_t threads_per_rank(const RunConfig& config, const Communicator& communicator) {
  if (config.threads) return *config.threads;
  return std::max<std::int64_t>(1, usable_cores() / communicator.core_sharers());
}

Model make_model(const Config& config, const Schema& schema, const ColumnTransform& transform,
                 Layout layout, const std::vector<double>& weights) {
  Model model;
  model.weights.assign(weights.begin(), weights.end() - 1);
  model.intercept = weights.back();
  model.shift = transform.shift;
  model.scale = transform.scale;
  model.exponent = transform.exponent;
  model.schema = schema;
  model.layout = layout;
  model.config = config;
  return model;
}

ObjectiveSetup objective_setup(const Config& config, const PreparedData& prepared) {
  return {.exponent_power = prepared.transform.exponent_power,
          .intercept = config.model.intercept,
          .penalties = {.l1 = config.model.l1, .l2 = *config.model.l2},
          .rows = prepared.train_rows,
          .total_weight = prepared.rows.train.total_weight,
          .lipschitz = prepared.lipschitz};
}

TrainerData trainer_data(const Config& config, const PreparedData& prepared, UpdateRule rule,
                         const std::vector<double>& start) {
  const Penalty penalty = make_penalty(config);
  TrainerData data{.shards = prepared.rows.train.shards,
                   .train = RowSetInfo(RowSet::kTrain, prepared.rows.train),
                   .validation = std::nullopt,
                   .start = start,
                   .first_rate = first_learning_rate(config, rule, prepared.lipschitz),
                   .penalty = penalty,
                   .objective = objective_setup(config, prepared),
                   .rule = rule,
                   .settings = settings_of(rule, config.optimizer),
                   .features = prepared.transform.columns(),
                   .entries = prepared.entries};
  if (prepared.validation_rows > 0) {
    data.validation.emplace(RowSet::kValidation, prepared.rows.validation);
  }
  return data;
}

SolverData solver_data(const Config& config, const PreparedData& prepared,
                       const std::vector<double>& start) {
  SolverData data{.objective = objective_setup(config, prepared),
                  .train = RowSetInfo(RowSet::kTrain, prepared.rows.train),
                  .validation = std::nullopt,
                  .start = start,
                  .penalty = make_penalty(config),
                  .plan = plan_solver(config, prepared)};
  if (prepared.validation_rows > 0) {
    data.validation.emplace(RowSet::kValidation, prepared.rows.validation);
  }
  return data;
}

using LoopMaker = std::function<std::unique_ptr<TrainingLoop>(Backend&, Communicator&,
                                                              TrainingObserver* observer)>;

// Before the backend takes the rows.
LoopMaker loop_maker(const Config& config, const PreparedData& prepared, UpdateRule rule,
                     const std::vector<double>& start) {
  if (is_solver(config.optimizer.method)) {
    return [&config, data = solver_data(config, prepared, start)](
               Backend& backend, Communicator& communicator, TrainingObserver* observer) {
      return std::make_unique<SolverTrainer>(config, data, backend, communicator, observer);
    };
  }
  return [&config, data = trainer_data(config, prepared, rule, start)](
             Backend& backend, Communicator& communicator, TrainingObserver* observer) {
    return std::make_unique<Trainer>(config, data, backend, communicator, observer);
  };
}

ModelSetup model_setup(const Config& config, const PreparedData& prepared, UpdateRule rule) {
  return {.loss = choose_loss(config.model),
          .intercept = config.model.intercept,
          .exponent_power = prepared.transform.exponent_power,
          .rule = rule,
          .settings = settings_of(rule, config.optimizer),
          .penalty = make_penalty(config)};
}

const char* layout_name(Layout layout) { return layout == Layout::kDense ? "dense" : "sparse"; }

TrainingStart training_start(const Config& config, const PreparedData& prepared,
                             const Backend& backend, const Communicator& communicator,
                             const TrainingLoop& loop) {
  TrainingStart start{.rows = prepared.train_rows,
                      .validation_rows = prepared.validation_rows,
                      .features = prepared.transform.columns(),
                      .layout = layout_name(prepared.layout),
                      .device = backend.attributes().device,
                      .simd = backend.attributes().unit,
                      .ranks = communicator.rank().size,
                      .threads = threads_per_rank(config.run, communicator)};
  loop.describe(start);
  return start;
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
  const std::int64_t threads = threads_per_rank(config.run, communicator);
  ThreadPool pool(threads, waiting_for(threads * communicator.core_sharers()));
  return prepare(config, dataset, communicator, pool);
}

// rank: among those of this machine.
std::optional<int> unshared_gpu(const RunConfig& run, RankInfo rank) {
  const std::optional<GpuPlace> place = gpu_of_rank(run, rank);
  if (!place || place->shared) return std::nullopt;
  return place->device;
}

// The GPU of a rank where every rank has one of its own, and so they add up between GPUs.
// Collective.
std::optional<int> own_gpu(const RunConfig& run, Communicator& communicator) {
  if (communicator.rank().size == 1) return std::nullopt;
  const std::optional<int> gpu = unshared_gpu(run, communicator.local_rank());
  std::int64_t lacks_one = gpu ? 0 : 1;
  all_reduce(communicator, {&lacks_one, 1}, Reduction::kMax, "ranks' GPUs");
  return lacks_one == 0 ? gpu : std::nullopt;
}

// Before work that would be lost.
void require_gpu_sums(const RunConfig& run, const Communicator* processes) {
  const RankInfo local =
      processes == nullptr ? RankInfo{.rank = 0, .size = *run.ranks} : processes->local_rank();
  const std::int64_t ranks = processes == nullptr ? *run.ranks : processes->rank().size;
  if (ranks > 1 && unshared_gpu(run, local)) require_device_sums(ranks);
}

// Rank 0 alone has the model's file.  Collective.
std::vector<double> starting_weights(const Config& config, const PreparedData& prepared,
                                     const Schema& schema, Communicator& communicator) {
  std::vector<double> weights =
      first_weights(config.model, RowSetInfo(RowSet::kTrain, prepared.rows.train));
  if (!config.training.init) return weights;
  if (communicator.rank().rank == 0) {
    WarmStart start =
        warm_start_from(*config.training.init, schema, prepared.transform, config.model.intercept);
    log_info(fmt::format("training.init: {}: {}", *config.training.init, describe(start)));
    weights = std::move(start.weights);
  }
  communicator.broadcast(std::as_writable_bytes(std::span(weights)), 0, "first weights");
  return weights;
}

// Only rank 0 looks at files, and hashing wide data takes a while.
CheckpointIdentity identity_where_needed(const Config& config, const PreparedData& prepared,
                                         const Schema& schema, const std::vector<double>& start,
                                         RankInfo rank) {
  const CheckpointConfig& checkpoint = config.checkpoint;
  const bool resumes = checkpoint.resume != "auto" && checkpoint.resume != "never";
  if (rank.rank != 0 || (!checkpoint.directory && !resumes)) return {};
  return checkpoint_identity(config, prepared, schema, start);
}

// Trains on a backend that has its rows, from the beginning or from a checkpoint.
// checkpoints: made here where they are kept; they must outlive the loop, and wait for what is
// being written.
Summary train_on(Backend& backend, const Config& config, const PreparedData& prepared,
                 const CheckpointIdentity& identity, TrainingLoop& loop, Communicator& communicator,
                 std::optional<Checkpoints>& checkpoints, TrainingObserver* observer) {
  // Rank 0's word: another rank may not know where the run's files go, nor what it was told.
  std::array<std::int64_t, 2> kept = {config.checkpoint.directory ? 1 : 0,
                                      config.checkpoint.every_steps.value_or(0)};
  communicator.broadcast(std::as_writable_bytes(std::span(kept)), 0, "how checkpoints are kept");
  if (kept[0] != 0) {
    CheckpointConfig checkpoint = config.checkpoint;
    checkpoint.every_steps = kept[1] == 0 ? std::nullopt : std::optional(kept[1]);
    checkpoints.emplace(std::move(checkpoint), identity, communicator);
    loop.keep_checkpoints(*checkpoints);
  }
  if (observer != nullptr)
    observer->on_start(training_start(config, prepared, backend, communicator, loop));
  auto from =
      find_resumption(config.checkpoint, identity, prepared.transform.columns(), communicator);
  if (from) loop.resume(*std::move(from));
  return loop.train();
}

// One rank, from prepared rows to a model.  clock: runs since its rows began to be read.
TrainingResult train_prepared(const Config& config, PreparedData& prepared, const Schema& schema,
                              Communicator& host, const BackendMaker& make,
                              TrainingObserver* observer, const Stopwatch& clock) {
  // It outlives the backend, whose graphs must be gone before NCCL's communicator can go.
  std::unique_ptr<Communicator> paired;
  if (const std::optional<int> gpu = own_gpu(config.run, host)) {
    paired = pair_with_device(host, *gpu, config.communication.timeout_s);
  }
  const double preparation_s = clock.seconds();
  TrainingResult result =
      train_rows(config, prepared, schema, paired == nullptr ? host : *paired, make, observer);
  result.summary.time.read_s += preparation_s;
  return result;
}

// One rank of several in this process.  Rank 0 lets go of `dataset` once all are ready.
TrainingResult train_rank(const Config& config, std::optional<Dataset>& dataset, Communicator& host,
                          const BackendMaker& make, TrainingObserver* observer) {
  const FloatingPointGuard default_arithmetic;
  const Stopwatch clock;
  host.set_position({.phase = "preparation"});
  PreparedData prepared = prepare_rows(config, *dataset, host);
  const Schema schema = dataset->schema;
  host.barrier("preparation");
  if (host.rank().rank == 0) dataset.reset();  // tiles hold the rows now
  return train_prepared(config, prepared, schema, host, make, observer, clock);
}

// Reads this process's rows and lets go of them once they are tiles.
PreparedData read_and_prepare(const Config& config, Communicator& host, Schema& schema) {
  host.set_position({.phase = "reading"});
  Dataset dataset =
      read_dataset(config.data, config.model.positive,
                   {.process = host.rank(), .virtual_shards = config.training.virtual_shards},
                   [&host](std::string mine, std::string_view operation) {
                     return gather_texts(host, std::move(mine), operation);
                   });
  host.set_position({.phase = "preparation"});
  PreparedData prepared = prepare_rows(config, dataset, host);
  schema = std::move(dataset.schema);
  return prepared;
}

}  // namespace

TrainingResult train_rows(const Config& given, PreparedData& prepared, const Schema& schema,
                          Communicator& communicator, const BackendMaker& make,
                          TrainingObserver* observer) {
  const Stopwatch loading_clock;
  const Config config = resolved(given, prepared);
  if (communicator.rank().rank == 0) say_choices(given, config, schema);
  const UpdateRule rule = choose_rule(config, prepared.layout);
  const std::vector<double> start = starting_weights(config, prepared, schema, communicator);
  const LoopMaker make_loop = loop_maker(config, prepared, rule, start);
  const WarningFacts facts = warning_facts(given, prepared, schema);
  const CheckpointIdentity identity =
      identity_where_needed(config, prepared, schema, start, communicator.rank());
  const auto backend =
      make(config.run, communicator.local_rank(), threads_per_rank(config.run, communicator),
           std::move(prepared.rows), model_setup(config, prepared, rule));
  TrainingResult result;
  const double loading_s = loading_clock.seconds();
  // Before all that may fail: the others must not wait for the disk to hear of it.
  std::optional<Checkpoints> checkpoints;
  try {
    const bool first = communicator.rank().rank == 0;
    const std::unique_ptr<TrainingLoop> loop =
        make_loop(*backend, communicator, first ? observer : nullptr);
    // Taking memory of a device, as both have done, may wait for all of them, and so for a sum that
    // another rank has begun.
    communicator.barrier("start of training");
    if (first && !is_solver(config.optimizer.method)) warn_of_dense_update(config, prepared, rule);
    result.summary =
        train_on(*backend, config, prepared, identity, *loop, communicator, checkpoints, observer);
    result.summary.time.read_s = loading_s;
    complete(result.summary, prepared, loop->weights());
    add_warnings(facts, config, result.summary);
    result.model = make_model(config, schema, prepared.transform, prepared.layout, loop->weights());
    if (is_solver(config.optimizer.method)) result.model.convergence = result.summary.convergence;
    if (config.checkpoint.directory) result.checkpoint_key = identity.key();
  } catch (const Interrupted&) {
    throw;  // every rank leaves, and none waits for another
  } catch (const std::exception& error) {
    // Before the backend goes: it waits for its device, where a sum may be waiting for the others.
    abort(communicator, error);
    throw;
  }
  return result;
}

TrainingResult run_training(const Config& config, TrainingObserver& observer,
                            Communicator* processes) {
  return run_training_on(make_backend, config, observer, processes);
}

TrainingResult run_training_on(const BackendMaker& make, const Config& given,
                               TrainingObserver& observer, Communicator* processes) {
  const FloatingPointGuard default_arithmetic;
  const Stopwatch clock;
  const Config config = choose_devices(given);
  require_gpu_sums(config.run, processes);
  if (processes != nullptr) return train_process_rank(make, config, *processes, observer);
  const double choice_s = clock.seconds();
  std::optional<Dataset> dataset = read_dataset(config.data, config.model.positive);
  const double read_s = clock.seconds() - choice_s;
  TrainingResult result;
  run_ranks(config, [&](Communicator& communicator) {
    const bool first = communicator.rank().rank == 0;
    TrainingResult mine =
        train_rank(config, dataset, communicator, make, first ? &observer : nullptr);
    if (first) result = std::move(mine);
  });
  result.summary.time.read_s += read_s;
  result.summary.time.total_s = clock.seconds();
  return result;
}

TrainingResult train_process_rank(const BackendMaker& make, const Config& config,
                                  Communicator& host, TrainingObserver& observer) {
  const FloatingPointGuard default_arithmetic;
  const Stopwatch clock;
  check_processes(config, host.rank().size);
  Schema schema;
  PreparedData prepared = read_and_prepare(config, host, schema);
  TrainingResult result = train_prepared(config, prepared, schema, host, make, &observer, clock);
  result.summary.time.total_s = clock.seconds();
  return result;
}

}  // namespace ossau
