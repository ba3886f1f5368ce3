#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <utility>

#include "ossau/error.hpp"
#include "train/trainer.hpp"

// How a trainer's state is taken down and taken up again.

namespace ossau {

void Trainer::resume(Resumption from) {
  check_state(from);
  TrainingState& state = from.state;
  position_ = state.position;
  backend_.restore(state.model);
  scales_.resume(state.model.scale);
  if (early_stopper_) early_stopper_->restore(*std::move(state.early_stopper));
  resumed_from_step_ = position_.steps;
  if (observer_ == nullptr) return;
  reports_ = std::move(state.reports);
  observer_->on_resume({from.file, position_.epoch + 1, position_.step}, reports_);
}

// Whoever wrote it: a state that could not have been left here must not be gone on from.
void Trainer::check_state(const Resumption& from) const {
  const auto& [position, model, stopper, solver, reports] = from.state;
  const ModelSnapshot here = backend_.snapshot();
  const std::int64_t epoch_steps = order_.steps_per_epoch();
  const bool fits = position.epoch >= 0 && position.epoch < *config_.training.epochs &&
                    position.step >= 1 && position.step <= epoch_steps &&
                    position.steps == position.epoch * epoch_steps + position.step &&
                    std::ssize(reports) == position.epoch &&
                    model.weights.size() == here.weights.size() &&
                    model.optimizer_state.size() == here.optimizer_state.size() &&
                    stopper.has_value() == early_stopper_.has_value() && !solver;
  if (fits) return;
  throw DataError(
      fmt::format("{}: holds no state of this training (name another checkpoint, or set "
                  "checkpoint.resume=never)",
                  from.file));
}

TrainingState Trainer::state() const {
  TrainingState state{.position = position_,
                      .model = backend_.snapshot(),
                      .early_stopper = std::nullopt,
                      .solver = std::nullopt,
                      .reports = reports_};
  state.position.elapsed_s = elapsed_s();
  state.position.communication_s += exchange_.seconds();
  if (early_stopper_) state.early_stopper = early_stopper_->state();
  return state;
}

}  // namespace ossau
