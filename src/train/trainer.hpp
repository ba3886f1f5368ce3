#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "comm/communicator.hpp"
#include "core/clock.hpp"
#include "ossau/config.hpp"
#include "train/early_stopping.hpp"
#include "train/evaluation.hpp"
#include "train/observer.hpp"
#include "train/schedule.hpp"

namespace ossau {

/// What a trainer must know of the data that its backend holds.
struct TrainerData {
  Shards shards;  // of the training rows
  RowSetInfo train;
  std::optional<RowSetInfo> validation;
  double first_rate = 0;  // learning rate, `auto` resolved
  Penalty penalty;
  UpdateRule rule = UpdateRule::kDescent;
  std::int64_t features = 0;
};

/// One rank's training: synchronous data-parallel gradient descent.
class Trainer {
 public:
  /// observer: null on every rank but 0.
  Trainer(const Config& config, const TrainerData& data, Backend& backend,
          Communicator& communicator, TrainingObserver* observer);

  /// Trains, then evaluates at the final weights.  Collective; every rank returns the same, times
  /// apart.  Fills epochs, steps, stop_reason, metrics, train_s, evaluate_s and all of speed but
  /// entries.
  Summary train();

  /// The final weights [d + 1], intercept last.
  const std::vector<double>& weights() const { return weights_; }

  std::int64_t steps_per_epoch() const { return order_.steps_per_epoch(); }
  double first_rate() const { return rates_.first(); }
  std::int64_t batch_rows() const { return order_.rows_in_batch(0); }

 private:
  bool full_batch() const { return order_.steps_per_epoch() == 1; }
  void train_epochs();
  bool train_epoch(std::int64_t epoch);
  bool step(std::int64_t epoch, std::int64_t step);
  bool runs_steps() const;
  void run_steps(std::int64_t epoch);
  void note_totals(const StepTotals& totals, std::int64_t epoch, std::int64_t step);
  double gradient_factor(std::int64_t rows) const;
  StepParameters step_parameters(double gradient_factor);
  bool finish_epoch(std::int64_t epoch);
  bool gradient_is_small(std::int64_t epoch);
  bool validate(std::int64_t epoch, EpochReport& report);
  void evaluate(Summary& summary);
  void measure_speed(Summary& summary);

  Config config_;
  TrainerData data_;
  Backend& backend_;
  Communicator& communicator_;
  TrainingObserver* observer_;
  BatchOrder order_;
  int fixed_bits_;
  LearningRates rates_;
  ScaleSequence scales_;
  Evaluator evaluator_;
  std::optional<EarlyStopper> early_stopper_;

  std::vector<TileSlice> batch_;  // of this step, on this rank
  // Of an epoch that the backend runs by itself.
  std::vector<StepParameters> run_parameters_;
  std::vector<StepTotals> run_totals_;
  std::vector<double> weights_;
  std::int64_t steps_done_ = 0;
  std::int64_t epochs_done_ = 0;
  std::int64_t rows_visited_ = 0;
  StepTotals epoch_totals_;
  std::optional<double> gradient_max_;  // full batch: of the last step
  double last_rate_ = 0;
  std::string stop_reason_ = "epochs";
  Stopwatch clock_;
  double epoch_started_s_ = 0;
  double evaluate_s_ = 0;
};

}  // namespace ossau
