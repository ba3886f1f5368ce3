#include "train/trainer.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "arith/bits.hpp"
#include "arith/fixed_point.hpp"
#include "train/rank_reduce.hpp"

namespace ossau {

Trainer::Trainer(const Config& config, const TrainerData& data, Backend& backend,
                 Communicator& communicator, TrainingObserver* observer)
    : config_(config),
      data_(data),
      backend_(backend),
      communicator_(communicator),
      observer_(observer),
      order_(data_.shards, config.training.batch_size, config.training.seed),
      fixed_bits_(fixed_point_bits(order_.rows_in_batch(0))),
      rates_(config.optimizer, data_.first_rate, order_.steps_per_epoch(), config.training.epochs),
      scales_(config.model.l2),
      evaluator_(config.model, data_.penalty, data_.first_rate, backend, communicator),
      weights_(static_cast<std::size_t>(data_.features) + 1, 0.0) {
  // A step allocates nothing: room for a batch that cuts its first and last tile, and has the short
  // one between.
  batch_.reserve(static_cast<std::size_t>(order_.rows_in_batch(0) / kTileRows) + 3);
  if (config.training.early_stopping) early_stopper_.emplace(*config.training.early_stopping);
}

Summary Trainer::train() {
  backend_.set_weights(weights_);
  clock_ = Stopwatch();
  train_epochs();
  Summary summary;
  summary.time.train_s = clock_.seconds() - evaluate_s_;
  const Stopwatch evaluation_clock;
  evaluate(summary);
  summary.time.evaluate_s = evaluate_s_ + evaluation_clock.seconds();
  summary.epochs = epochs_done_;
  summary.steps = steps_done_;
  summary.stop_reason = stop_reason_;
  summary.learning_rate = rates_.first();
  measure_speed(summary);
  return summary;
}

void Trainer::train_epochs() {
  for (std::int64_t epoch = 0; epoch < config_.training.epochs; ++epoch) {
    if (train_epoch(epoch)) break;
  }
  communicator_.set_position({.phase = "evaluation"});
  backend_.get_weights(weights_);
  // A tolerance promises something of the weights that are saved: of these, not of the best ones.
  if (early_stopper_ && stop_reason_ != "tolerance") {
    weights_ = early_stopper_->best_weights();
  }
}

// Every epoch and step returns whether training is over.
bool Trainer::train_epoch(std::int64_t epoch) {
  order_.start_epoch(epoch);
  epoch_totals_ = {};
  gradient_max_.reset();
  epoch_started_s_ = clock_.seconds();
  bool over = false;
  if (runs_steps()) {
    run_steps(epoch);
  } else {
    for (std::int64_t s = 0; s < order_.steps_per_epoch() && !over; ++s) over = step(epoch, s);
  }
  ++epochs_done_;
  return finish_epoch(epoch) || over;
}

// Minibatches only: a full batch is looked at step by step.
bool Trainer::runs_steps() const {
  const bool reduces = communicator_.rank().size == 1 || communicator_.queues(backend_.memory());
  return backend_.takes_runs() && reduces && !full_batch();
}

void Trainer::run_steps(std::int64_t epoch) {
  communicator_.set_position({.phase = "training", .epoch = epoch + 1, .step = 1});
  const std::int64_t steps = order_.steps_per_epoch();
  run_parameters_.clear();
  for (std::int64_t s = 0; s < steps; ++s) {
    last_rate_ = rates_.at(steps_done_ + s);
    run_parameters_.push_back(step_parameters(gradient_factor(order_.rows_in_batch(s))));
  }
  run_totals_.resize(static_cast<std::size_t>(steps));
  backend_.run({.order = order_,
                .steps = {0, steps},
                .fixed_bits = fixed_bits_,
                .parameters = run_parameters_,
                .totals = run_totals_,
                .queue_reduction = queued_reduction(communicator_, "gradient sums"),
                .await = awaited_reduction(communicator_, "gradient sums")});
  for (std::int64_t s = 0; s < steps; ++s) {
    note_totals(run_totals_[static_cast<std::size_t>(s)], epoch, s);
  }
  steps_done_ += steps;
}

// Throws where the step diverged.
void Trainer::note_totals(const StepTotals& totals, std::int64_t epoch, std::int64_t step) {
  const std::int64_t rows = order_.rows_in_batch(step);
  rows_visited_ += rows;
  check_convergence(totals, rows, rates_.first(), epoch + 1, step + 1);
  epoch_totals_.loss_floors += totals.loss_floors;
  epoch_totals_.loss_fractions += totals.loss_fractions;
}

// The sum divided by b W / n: a batch's rows stand for their share of the total weight.
double Trainer::gradient_factor(std::int64_t rows) const {
  const double batch_weight =
      static_cast<double>(rows) * data_.train.total_weight / static_cast<double>(data_.train.rows);
  return power_of_two(-fixed_bits_) / batch_weight;
}

bool Trainer::step(std::int64_t epoch, std::int64_t step) {
  communicator_.set_position({.phase = "training", .epoch = epoch + 1, .step = step + 1});
  if (!full_batch()) order_.select(step, data_.train.owned_tiles, batch_);
  backend_.gradient(RowSet::kTrain, full_batch() ? backend_.every_tile(RowSet::kTrain) : batch_,
                    fixed_bits_);
  reduce_sums(backend_, communicator_, "gradient sums");

  last_rate_ = rates_.at(steps_done_);
  note_totals(backend_.totals(), epoch, step);
  const double factor = gradient_factor(order_.rows_in_batch(step));
  if (full_batch()) {
    gradient_max_ = backend_.gradient_max(factor, rates_.first());
    if (config_.training.tolerance > 0 && *gradient_max_ <= config_.training.tolerance) {
      backend_.adopt_evaluation_point();
      stop_reason_ = "tolerance";
      return true;
    }
  }
  backend_.update(step_parameters(factor));
  ++steps_done_;
  return false;
}

StepParameters Trainer::step_parameters(double gradient_factor) {
  StepParameters parameters{.rate = last_rate_, .gradient_factor = gradient_factor};
  if (data_.rule == UpdateRule::kScaled) scales_.advance(parameters);
  return parameters;
}

bool Trainer::finish_epoch(std::int64_t epoch) {
  const double train_s = clock_.seconds() - epoch_started_s_;
  const bool small = gradient_is_small(epoch);
  if (small) stop_reason_ = "tolerance";
  EpochReport report;
  report.epoch = epoch + 1;
  report.steps = steps_done_;
  report.learning_rate = last_rate_;
  report.log_loss = loss_value(epoch_totals_.loss_floors, epoch_totals_.loss_fractions) /
                    data_.train.total_weight;
  report.gradient_max = gradient_max_;
  report.rows_per_second = static_cast<double>(data_.train.rows) / train_s;
  const bool last = epoch + 1 == config_.training.epochs || stop_reason_ == "tolerance";
  bool stop_early = false;
  if (data_.validation && (last || (epoch + 1) % config_.training.evaluate_every == 0)) {
    stop_early = validate(epoch, report);
  }
  report.elapsed_s = clock_.seconds();
  if (observer_ != nullptr) observer_->on_epoch(report);
  if (stop_early && !last) stop_reason_ = "early_stopping";
  return small || stop_early;
}

// Minibatches never see the full gradient: it takes a pass of its own, at the epoch's end.
bool Trainer::gradient_is_small(std::int64_t epoch) {
  if (full_batch() || config_.training.tolerance == 0) return false;
  const Stopwatch pass_clock;
  backend_.gradient(RowSet::kTrain, backend_.every_tile(RowSet::kTrain), data_.train.fixed_bits);
  reduce_sums(backend_, communicator_, "full gradient");
  check_convergence(backend_.totals(), data_.train.rows, rates_.first(), epoch + 1, 0);
  gradient_max_ = backend_.gradient_max(data_.train.gradient_factor(), rates_.first());
  evaluate_s_ += pass_clock.seconds();
  if (!(*gradient_max_ <= config_.training.tolerance)) return false;
  backend_.adopt_evaluation_point();
  return true;
}

bool Trainer::validate(std::int64_t epoch, EpochReport& report) {
  const Stopwatch pass_clock;
  communicator_.set_position({.phase = "validation", .epoch = epoch + 1});
  report.validation = evaluator_.evaluate(*data_.validation, epoch + 1);
  evaluate_s_ += pass_clock.seconds();
  if (!early_stopper_) return false;
  backend_.get_weights(weights_);
  return early_stopper_->observe(*report.validation, weights_);
}

void Trainer::evaluate(Summary& summary) {
  // From the weights alone, as the model file will hold them, not from the optimiser's state.
  backend_.set_weights(weights_);
  summary.train = evaluator_.evaluate(data_.train, epochs_done_);
  if (data_.validation) summary.validation = evaluator_.evaluate(*data_.validation, epochs_done_);
}

// All ranks at the same time, as in training: they may share a machine's memory.
void Trainer::measure_speed(Summary& summary) {
  communicator_.barrier("measurement of the machine");
  Speed& speed = summary.speed;
  speed.passes = static_cast<double>(rows_visited_) / static_cast<double>(data_.train.rows);
  speed.bare_pass_s = merge_max(communicator_, backend_.bare_pass_s(), "measured ceiling");
  speed.floor_s = speed.passes * speed.bare_pass_s;
  speed.ceiling_share = speed.floor_s / summary.time.train_s;
}

}  // namespace ossau
