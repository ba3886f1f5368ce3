#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "comm/communicator.hpp"
#include "core/clock.hpp"
#include "ossau/config.hpp"
#include "solve/objective.hpp"
#include "train/checkpoints.hpp"
#include "train/early_stopping.hpp"
#include "train/evaluation.hpp"
#include "train/observer.hpp"
#include "train/schedule.hpp"
#include "train/sum_exchange.hpp"
#include "train/training_loop.hpp"
#include "train/training_state.hpp"

namespace ossau {

/// What a trainer must know of the data that its backend holds.
struct TrainerData {
  Shards shards;  // of the training rows
  RowSetInfo train;
  std::optional<RowSetInfo> validation;
  std::vector<double> start;  // [d + 1]
  double first_rate = 0;      // learning rate, `auto` resolved
  Penalty penalty;
  std::optional<ObjectiveSetup> objective = std::nullopt;  // absent: no bound is taken at the end
  UpdateRule rule = UpdateRule::kDescent;
  RuleSettings settings = {};
  std::int64_t features = 0;
  std::int64_t entries = 0;  // stored, of the training rows of all ranks
};

/// One rank's training: synchronous data-parallel gradient descent.
class Trainer final : public TrainingLoop {
 public:
  /// observer: null on every rank but 0.
  Trainer(const Config& config, TrainerData data, Backend& backend, Communicator& communicator,
          TrainingObserver* observer);

  void keep_checkpoints(Checkpoints& checkpoints) override { checkpoints_ = &checkpoints; }
  void resume(Resumption from) override;
  Summary train() override;
  const std::vector<double>& weights() const override { return weights_; }
  void describe(TrainingStart& start) const override;

 private:
  bool full_batch() const { return order_.steps_per_epoch() == 1; }
  void train_epochs();
  bool train_epoch();
  void begin_epoch();
  bool step();
  bool runs_steps() const;
  void run_steps();
  void run_steps(Range steps);
  Range next_run() const;
  void note_totals(const StepTotals& totals, std::int64_t step);
  void steps_done(std::int64_t count, std::int64_t interrupted_ranks);
  std::int64_t interruption_note() const;
  double elapsed_s() const { return position_.elapsed_s + clock_.seconds(); }
  TrainingState state() const;
  void check_state(const Resumption& from) const;
  double gradient_factor(std::int64_t rows) const;
  StepParameters step_parameters(std::int64_t step, double gradient_factor);
  bool finish_epoch();
  bool gradient_is_small();
  bool validate(EpochReport& report);
  void evaluate(Summary& summary);
  void bound_gap(Summary& summary);
  void measure_speed(Summary& summary);
  double communication_s();
  double device_exchange_s();

  Config config_;
  TrainerData data_;
  Backend& backend_;
  Communicator& communicator_;
  TrainingObserver* observer_;
  BatchOrder order_;
  int fixed_bits_;
  LearningRates rates_;
  ScaleSequence scales_;
  SumExchange exchange_;
  Evaluator evaluator_;
  std::optional<EarlyStopper> early_stopper_;

  Checkpoints* checkpoints_ = nullptr;  // null: none are written
  std::optional<std::int64_t> resumed_from_step_;

  std::vector<TileSlice> batch_;  // of this step, on this rank
  // Of an epoch that the backend runs by itself.
  std::vector<StepParameters> run_parameters_;
  std::vector<StepTotals> run_totals_;
  std::vector<double> weights_;
  TrainingPosition position_;         // its elapsed_s: before clock_ was started
  std::vector<EpochReport> reports_;  // for checkpoints: rank 0
  std::string stop_reason_ = "epochs";
  Stopwatch clock_;
};

}  // namespace ossau
