#include "train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <new>
#include <utility>

#include "arith/bits.hpp"
#include "arith/fixed_point.hpp"
#include "config/names.hpp"
#include "core/interruption.hpp"
#include "ossau/error.hpp"
#include "solve/certificate.hpp"
#include "train/rank_reduce.hpp"

namespace ossau {
namespace {

// That a backend takes by itself at most: so soon is a signal answered.  Eight graphs of the CUDA
// backend.
constexpr std::int64_t kStepsOfRun = 1024;

}  // namespace

Trainer::Trainer(const Config& config, TrainerData data, Backend& backend,
                 Communicator& communicator, TrainingObserver* observer)
    : config_(config),
      data_(std::move(data)),
      backend_(backend),
      communicator_(communicator),
      observer_(observer),
      order_(data_.shards, *config.training.batch_size, config.training.seed),
      fixed_bits_(fixed_point_bits(order_.rows_in_batch(0))),
      rates_(config.optimizer, data_.first_rate, order_.steps_per_epoch(), *config.training.epochs),
      scales_(data_.penalty.l2),
      exchange_(backend, communicator, data_.features,
                static_cast<double>(data_.entries) / static_cast<double>(data_.train.rows) *
                    static_cast<double>(order_.rows_in_batch(0))),
      evaluator_(config.model, data_.penalty, data_.first_rate, backend, communicator),
      weights_(data_.start) {
  // A step allocates nothing: room for a batch that cuts its first and last tile, and has the short
  // one between.
  batch_.reserve(static_cast<std::size_t>(order_.rows_in_batch(0) / kTileRows) + 3);
  if (runs_steps()) backend_.step_graphs()->reserve(order_);
  if (config.training.early_stopping) early_stopper_.emplace(*config.training.early_stopping);
}

Summary Trainer::train() {
  if (!resumed_from_step_) backend_.set_weights(weights_);
  clock_ = Stopwatch();
  train_epochs();
  Summary summary;
  summary.time.train_s = elapsed_s() - position_.evaluate_s;
  const Stopwatch evaluation_clock;
  evaluate(summary);
  summary.time.evaluate_s = position_.evaluate_s + evaluation_clock.seconds();
  summary.method = name_of(config_.optimizer.method);
  summary.epochs = position_.epoch;
  summary.steps = position_.steps;
  summary.resumed_from_step = resumed_from_step_;
  summary.stop_reason = stop_reason_;
  summary.learning_rate = rates_.first();
  measure_speed(summary);
  return summary;
}

void Trainer::train_epochs() {
  bool over = false;
  while (!over && position_.epoch < *config_.training.epochs) over = train_epoch();
  communicator_.set_position({.phase = "evaluation"});
  backend_.get_weights(weights_);
  // A tolerance promises something of the weights that are saved: of these, not of the best ones.
  if (early_stopper_ && stop_reason_ != "tolerance") {
    weights_ = early_stopper_->best_weights();
  }
}

// Every epoch and step returns whether training is over.
bool Trainer::train_epoch() {
  order_.start_epoch(position_.epoch);
  if (position_.step == 0) begin_epoch();
  bool over = false;
  if (runs_steps()) {
    run_steps();
  } else {
    while (!over && position_.step < order_.steps_per_epoch()) over = step();
  }
  return finish_epoch() || over;
}

void Trainer::begin_epoch() {
  position_.epoch_totals = {};
  position_.gradient_max.reset();
  position_.epoch_started_s = elapsed_s();
}

// Minibatches only: a full batch is looked at step by step.
bool Trainer::runs_steps() const {
  const bool reduces =
      communicator_.rank().size == 1 || communicator_.queues(backend_.attributes().memory);
  return backend_.step_graphs() != nullptr && reduces && !full_batch();
}

void Trainer::run_steps() {
  while (position_.step < order_.steps_per_epoch()) {
    const Range steps = next_run();
    run_steps(steps);
    steps_done(steps.size(), checkpoints_ == nullptr
                                 ? 0
                                 : merge_sum(communicator_, interruption_note(), "interruption"));
  }
}

Range Trainer::next_run() const {
  std::int64_t count = std::min(kStepsOfRun, order_.steps_per_epoch() - position_.step);
  if (checkpoints_ != nullptr) {
    count = std::min(count, checkpoints_->steps_until_due(position_.steps));
  }
  return {position_.step, position_.step + count};
}

void Trainer::run_steps(Range steps) {
  communicator_.set_position(
      {.phase = "training", .epoch = position_.epoch + 1, .step = steps.begin + 1});
  run_parameters_.clear();
  for (std::int64_t i = 0; i < steps.size(); ++i) {
    position_.last_rate = rates_.at(position_.steps + i);
    run_parameters_.push_back(step_parameters(
        position_.steps + i, gradient_factor(order_.rows_in_batch(steps.begin + i))));
  }
  run_totals_.resize(static_cast<std::size_t>(steps.size()));
  backend_.step_graphs()->run({.order = order_,
                               .steps = steps,
                               .fixed_bits = fixed_bits_,
                               .parameters = run_parameters_,
                               .totals = run_totals_,
                               .queue_reduction = queued_reduction(communicator_, "gradient sums"),
                               .await = awaited_reduction(communicator_, "gradient sums")});
  for (std::int64_t i = 0; i < steps.size(); ++i) {
    note_totals(run_totals_[static_cast<std::size_t>(i)], steps.begin + i);
  }
}

// Throws where the step diverged.
void Trainer::note_totals(const StepTotals& totals, std::int64_t step) {
  const std::int64_t rows = order_.rows_in_batch(step);
  position_.rows_visited += rows;
  check_convergence(totals, rows, rates_.first(), position_.epoch + 1, step + 1);
  position_.epoch_totals.loss_floors += totals.loss_floors;
  position_.epoch_totals.loss_fractions += totals.loss_fractions;
}

std::int64_t Trainer::interruption_note() const {
  return checkpoints_ != nullptr && interruption_requested() ? 1 : 0;
}

// Between two steps, the only place where a training is left or written down.
void Trainer::steps_done(std::int64_t count, std::int64_t interrupted_ranks) {
  position_.step += count;
  position_.steps += count;
  if (checkpoints_ == nullptr) return;
  const auto copy = [this] { return state(); };
  if (interrupted_ranks > 0) checkpoints_->stop(position_, order_.steps_per_epoch(), copy);
  checkpoints_->after_step(position_, copy);
}

// The sum divided by b W / n: a batch's rows stand for their share of the total weight.
double Trainer::gradient_factor(std::int64_t rows) const {
  const double batch_weight =
      static_cast<double>(rows) * data_.train.total_weight / static_cast<double>(data_.train.rows);
  return power_of_two(-fixed_bits_) / batch_weight;
}

bool Trainer::step() {
  const std::int64_t step = position_.step;
  communicator_.set_position({.phase = "training", .epoch = position_.epoch + 1, .step = step + 1});
  if (!full_batch()) order_.select(step, data_.train.owned_tiles, batch_);
  backend_.gradient(RowSet::kTrain, full_batch() ? backend_.every_tile(RowSet::kTrain) : batch_,
                    fixed_bits_);
  const std::int64_t interrupted_ranks = exchange_.add(interruption_note());

  position_.last_rate = rates_.at(position_.steps);
  note_totals(backend_.totals(), step);
  const double factor = gradient_factor(order_.rows_in_batch(step));
  if (full_batch()) {
    position_.gradient_max = backend_.gradient_max(factor, rates_.first());
    if (config_.training.tolerance > 0 && *position_.gradient_max <= config_.training.tolerance) {
      backend_.adopt_evaluation_point();
      stop_reason_ = "tolerance";
      return true;
    }
  }
  backend_.update(step_parameters(position_.steps, factor));
  steps_done(1, interrupted_ranks);
  return false;
}

// step: from the training's start, from 0.
StepParameters Trainer::step_parameters(std::int64_t step, double gradient_factor) {
  StepParameters parameters{.rate = position_.last_rate, .gradient_factor = gradient_factor};
  if (traits_of(data_.rule).scales_weights) scales_.advance(parameters);
  prepare_step(data_.rule, data_.settings, step + 1, parameters);
  return parameters;
}

bool Trainer::finish_epoch() {
  const double train_s = elapsed_s() - position_.epoch_started_s;
  const bool small = gradient_is_small();
  if (small) stop_reason_ = "tolerance";
  EpochReport report;
  report.epoch = position_.epoch + 1;
  report.steps = position_.steps;
  report.learning_rate = position_.last_rate;
  report.log_loss =
      loss_value(position_.epoch_totals.loss_floors, position_.epoch_totals.loss_fractions) /
      data_.train.total_weight;
  report.gradient_max = position_.gradient_max;
  report.rows_per_second = static_cast<double>(data_.train.rows) / train_s;
  const bool last = report.epoch == *config_.training.epochs || stop_reason_ == "tolerance";
  bool stop_early = false;
  if (data_.validation && (last || report.epoch % config_.training.evaluate_every == 0)) {
    stop_early = validate(report);
  }
  report.elapsed_s = elapsed_s();
  if (observer_ != nullptr) observer_->on_epoch(report);
  if (observer_ != nullptr && checkpoints_ != nullptr) reports_.push_back(report);
  ++position_.epoch;
  position_.step = 0;
  if (stop_early && !last) stop_reason_ = "early_stopping";
  return small || stop_early;
}

// Minibatches never see the full gradient: it takes a pass of its own, at the epoch's end.
bool Trainer::gradient_is_small() {
  if (full_batch() || config_.training.tolerance == 0) return false;
  const Stopwatch pass_clock;
  backend_.gradient(RowSet::kTrain, backend_.every_tile(RowSet::kTrain), data_.train.fixed_bits);
  reduce_sums(backend_, communicator_, "full gradient");
  check_convergence(backend_.totals(), data_.train.rows, rates_.first(), position_.epoch + 1, 0);
  position_.gradient_max = backend_.gradient_max(data_.train.gradient_factor(), rates_.first());
  position_.evaluate_s += pass_clock.seconds();
  if (!(*position_.gradient_max <= config_.training.tolerance)) return false;
  backend_.adopt_evaluation_point();
  return true;
}

bool Trainer::validate(EpochReport& report) {
  const Stopwatch pass_clock;
  communicator_.set_position({.phase = "validation", .epoch = report.epoch});
  report.validation = evaluator_.evaluate(*data_.validation, report.epoch);
  position_.evaluate_s += pass_clock.seconds();
  if (!early_stopper_) return false;
  backend_.get_weights(weights_);
  return early_stopper_->observe(*report.validation, weights_);
}

void Trainer::evaluate(Summary& summary) {
  // From the weights alone, as the model file will hold them, not from the optimiser's state.
  backend_.set_weights(weights_);
  summary.train = evaluator_.evaluate(data_.train, position_.epoch);
  if (data_.validation)
    summary.validation = evaluator_.evaluate(*data_.validation, position_.epoch);
  bound_gap(summary);
}

// A minibatch run too says how far it is from the optimum, in one more pass.
void Trainer::bound_gap(Summary& summary) {
  SolverPasses* const passes = backend_.solver_passes();
  if (passes == nullptr || !data_.objective || data_.penalty.pseudo_huber > 0) return;
  Objective objective(*passes, communicator_, *data_.objective);
  const Penalties penalties = objective.penalties();
  if (penalties.l1 == 0 && penalties.l2 == 0) return;  // nothing would be proved
  constexpr EvaluationExtras kExtras{.curvature = true};
  // A training is not lost where no memory is left for scores and sums.
  std::int64_t without_memory = 0;
  try {
    objective.reserve(1, kExtras);
  } catch (const DeviceError&) {
    without_memory = 1;
  } catch (const std::bad_alloc&) {
    without_memory = 1;
  }
  if (merge_sum(communicator_, without_memory, "memory for a bound") > 0) return;
  const Vector point = objective.rounded(weights_);
  const Evaluation at = objective.evaluate(point, ScoreSlot{0}, kExtras);
  const double gap = relative_gap(gap_bound(at, point, penalties), at.value);
  summary.convergence =
      Convergence{.gap = gap,
                  .certified = std::isfinite(gap),
                  .converged = gap <= config_.training.gap.value_or(TrainingConfig::kUsualGap),
                  .passes = position_.rows_visited / data_.train.rows};
}

void Trainer::measure_speed(Summary& summary) {
  summary.speed.passes =
      static_cast<double>(position_.rows_visited) / static_cast<double>(data_.train.rows);
  measure_ceiling(summary, backend_, communicator_);
  summary.speed.communication_s = communication_s();
}

void Trainer::describe(TrainingStart& start) const {
  start.method = name_of(config_.optimizer.method);
  start.epochs = *config_.training.epochs;
  start.steps_per_epoch = order_.steps_per_epoch();
  start.batch_size = order_.rows_in_batch(0);
  start.learning_rate = rates_.first();
}

double Trainer::communication_s() {
  if (communicator_.rank().size == 1) return 0;
  if (!runs_steps()) return position_.communication_s + exchange_.seconds();
  return static_cast<double>(position_.steps) * device_exchange_s();
}

// Steps that a device takes by itself cannot be looked into: of what is measured here they wait for
// no one.
double Trainer::device_exchange_s() {
  std::vector<double> seconds(9);
  for (double& each : seconds) {
    const Stopwatch watch;
    reduce_sums(backend_, communicator_, "measurement of sums");
    communicator_.await(backend_.sums(backend_.attributes().memory), "measurement of sums");
    each = watch.seconds();
  }
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

}  // namespace ossau
