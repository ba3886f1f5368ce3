#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "comm/communicator.hpp"
#include "core/clock.hpp"
#include "ossau/config.hpp"
#include "solve/objective.hpp"
#include "solve/solver.hpp"
#include "train/evaluation.hpp"
#include "train/method.hpp"
#include "train/training_loop.hpp"

namespace ossau {

/// What a training by a solver must know of the data that its backend holds.
struct SolverData {
  ObjectiveSetup objective;
  RowSetInfo train;
  std::optional<RowSetInfo> validation;
  std::vector<double> start;  // [d + 1]
  Penalty penalty;
  SolverPlan plan;
};

/// One rank's training by a solver: iterations until the objective is as near its minimum as was
/// asked.
class SolverTrainer final : public TrainingLoop {
 public:
  /// observer: null on every rank but 0.
  SolverTrainer(const Config& config, SolverData data, Backend& backend, Communicator& communicator,
                TrainingObserver* observer);

  void keep_checkpoints(Checkpoints& checkpoints) override { checkpoints_ = &checkpoints; }
  void resume(Resumption from) override;
  Summary train() override;
  const std::vector<double>& weights() const override { return weights_; }
  void describe(TrainingStart& start) const override;

 private:
  void iterate();
  bool is_over();
  double relative() const;
  void report();
  void iteration_done();
  TrainingState state() const;
  void evaluate(Summary& summary);
  double elapsed_s() const { return position_.elapsed_s + clock_.seconds(); }

  Config config_;
  SolverData data_;
  Backend& backend_;
  Communicator& communicator_;
  TrainingObserver* observer_;
  Objective objective_;
  Evaluator evaluator_;
  std::unique_ptr<Solver> solver_;

  Checkpoints* checkpoints_ = nullptr;  // null: none are written
  std::optional<std::int64_t> resumed_from_step_;
  SolverState start_;
  TrainingPosition position_;         // its epochs: iterations
  std::vector<EpochReport> reports_;  // for checkpoints: rank 0
  double best_gap_ = INFINITY;
  std::int64_t without_gain_ = 0;  // iterations since the gap was halved
  std::string stop_reason_;
  std::vector<double> weights_;
  Stopwatch clock_;
};

}  // namespace ossau
