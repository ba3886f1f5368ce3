#include "train/solver_trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <utility>

#include "config/names.hpp"
#include "core/interruption.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"
#include "solve/certificate.hpp"
#include "train/rank_reduce.hpp"
#include "train/schedule.hpp"

namespace ossau {
namespace {

// Where the gap is good enough and not halved in so many iterations, float32 weights and scores
// allow no better.
constexpr std::int64_t kPatience = 3;

}  // namespace

SolverTrainer::SolverTrainer(const Config& config, SolverData data, Backend& backend,
                             Communicator& communicator, TrainingObserver* observer)
    : config_(config),
      data_(std::move(data)),
      backend_(backend),
      communicator_(communicator),
      observer_(observer),
      objective_(*backend.solver_passes(), communicator, data_.objective),
      // With an L1 penalty the largest gradient is that of a step of this length.
      evaluator_(config.model, data_.penalty,
                 safe_learning_rate(data_.objective.lipschitz, data_.penalty), backend,
                 communicator) {
  objective_.reserve(kSolverSlots, {.curvature = true});
  start_.point = data_.start;
}

void SolverTrainer::describe(TrainingStart& start) const {
  start.solves = true;
  start.method = name_of(data_.plan.method);
  start.epochs = config_.training.max_passes;
  start.steps_per_epoch = 1;
  start.batch_size = data_.train.rows;
}

Summary SolverTrainer::train() {
  clock_ = Stopwatch();
  communicator_.set_position({.phase = "training", .epoch = position_.epoch + 1, .step = 1});
  solver_ = make_solver(data_.plan, objective_, start_);
  while (!is_over()) iterate();
  weights_ = solver_->point();
  Summary summary;
  summary.time.train_s = elapsed_s();
  const double bound = gap_bound(solver_->at(), solver_->point(), objective_.penalties());
  summary.convergence = Convergence{.gap = relative(),
                                    .certified = std::isfinite(bound) && std::isfinite(relative()),
                                    .converged = stop_reason_ == "gap",
                                    .nearly_collinear = solver_->nearly_collinear(),
                                    .passes = objective_.reads(),
                                    .gram_passes = objective_.grams()};
  evaluate(summary);
  summary.method = name_of(data_.plan.method);
  summary.epochs = position_.steps;
  summary.steps = position_.steps;
  summary.resumed_from_step = resumed_from_step_;
  summary.stop_reason = stop_reason_;
  summary.speed.passes = static_cast<double>(objective_.reads());
  measure_ceiling(summary, backend_, communicator_);
  return summary;
}

double SolverTrainer::relative() const { return relative_gap(solver_->gap(), solver_->at().value); }

bool SolverTrainer::is_over() {
  const double gap = relative();
  if (gap <= best_gap_ / 2) {
    best_gap_ = gap;
    without_gain_ = 0;
  } else {
    ++without_gain_;
  }
  const SolverPlan& plan = data_.plan;
  const bool enough = gap <= plan.gap;
  if (gap <= plan.fine_gap(solver_->at().value) || (enough && without_gain_ >= kPatience)) {
    stop_reason_ = "gap";
  } else if (objective_.reads() >= config_.training.max_passes) {
    stop_reason_ = enough ? "gap" : "passes";
  } else if (without_gain_ >= plan.patience) {
    stop_reason_ = "stalled";
  }
  return !stop_reason_.empty();
}

void SolverTrainer::iterate() {
  communicator_.set_position({.phase = "training", .epoch = position_.epoch + 1, .step = 1});
  if (position_.step == 1) {  // of the iteration before, whose report was given
    position_.step = 0;
    ++position_.epoch;
  }
  position_.epoch_started_s = elapsed_s();
  const double value = solver_->at().value;
  if (!solver_->iterate(data_.plan.fine_gap(value) * value)) {
    stop_reason_ = relative() <= data_.plan.gap ? "gap" : "stalled";
    return;
  }
  report();
  iteration_done();
}

void SolverTrainer::report() {
  const Evaluation& at = solver_->at();
  EpochReport report;
  report.epoch = position_.steps + 1;
  report.steps = report.epoch;
  report.log_loss = at.loss;
  report.gradient_max = largest_entry(at.gradient);
  report.passes = objective_.reads();
  report.gap = relative();
  report.elapsed_s = elapsed_s();
  const double seconds = report.elapsed_s - position_.epoch_started_s;
  const auto rows = static_cast<double>(objective_.reads() * data_.train.rows);
  report.rows_per_second = (rows - static_cast<double>(position_.rows_visited)) / seconds;
  if (observer_ != nullptr) observer_->on_epoch(report);
  if (observer_ != nullptr && checkpoints_ != nullptr) reports_.push_back(report);
}

// Between two iterations, the only place where a training is left or written down.
void SolverTrainer::iteration_done() {
  ++position_.steps;
  position_.step = 1;
  position_.rows_visited = objective_.reads() * data_.train.rows;
  if (checkpoints_ == nullptr) return;
  const std::int64_t interrupted =
      merge_sum(communicator_, interruption_requested() ? 1 : 0, "interruption");
  const auto copy = [this] { return state(); };
  if (interrupted > 0) checkpoints_->stop(position_, 1, copy);
  checkpoints_->after_step(position_, copy);
}

TrainingState SolverTrainer::state() const {
  TrainingState state{.position = position_,
                      .model = {},
                      .early_stopper = std::nullopt,
                      .solver = solver_->state(),
                      .reports = reports_};
  state.solver->best_gap = best_gap_;
  state.solver->without_gain = without_gain_;
  state.position.elapsed_s = elapsed_s();
  return state;
}

void SolverTrainer::resume(Resumption from) {
  TrainingState& state = from.state;
  const TrainingPosition& position = state.position;
  const auto is_point = [&](const Vector& v) { return v.size() == objective_.size(); };
  const bool fits =
      state.solver && is_point(state.solver->point) &&
      (state.solver->hessian_point.empty() || is_point(state.solver->hessian_point)) &&
      state.solver->reads >= position.steps && state.solver->gram_passes >= 0 &&
      position.steps >= 1 && position.step == 1 && position.epoch == position.steps - 1 &&
      std::ssize(state.reports) == position.steps && state.model.weights.empty() &&
      !state.early_stopper;
  if (!fits) {
    throw DataError(
        fmt::format("{}: holds no state of this training (name another checkpoint, or "
                    "set checkpoint.resume=never)",
                    from.file));
  }
  start_ = *std::move(state.solver);
  best_gap_ = start_.best_gap;
  without_gain_ = start_.without_gain;
  position_ = state.position;
  resumed_from_step_ = position_.steps;
  if (observer_ == nullptr) return;
  reports_ = std::move(state.reports);
  observer_->on_resume({from.file, position_.steps + 1, 0}, reports_);
}

// From the weights alone, as the model file will hold them.
void SolverTrainer::evaluate(Summary& summary) {
  const Stopwatch clock;
  communicator_.set_position({.phase = "evaluation"});
  backend_.set_weights(weights_);
  summary.train = evaluator_.evaluate(data_.train, position_.steps);
  if (data_.validation) {
    summary.validation = evaluator_.evaluate(*data_.validation, position_.steps);
  }
  summary.time.evaluate_s = clock.seconds();
}

}  // namespace ossau
