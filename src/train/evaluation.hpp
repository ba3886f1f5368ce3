#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.hpp"
#include "comm/communicator.hpp"
#include "ossau/config.hpp"
#include "ossau/summary.hpp"

namespace ossau {

/// What full passes must know of one set of rows.
struct RowSetInfo {
  RowSet set = RowSet::kTrain;
  std::int64_t rows = 0;      // of all ranks
  std::int64_t features = 0;  // d
  Range owned_tiles;          // this rank's
  Range here;                 // this rank's rows
  double total_weight = 0;    // W, of all ranks
  double positive_share = 0;  // of W, that of positive rows
  int fixed_bits = 0;

  RowSetInfo(RowSet which, const TileSet& tiles);

  /// See mean_gradient(); for all rows together.
  double gradient_factor() const;
};

/// Where a training starts [d + 1]: all weights 0, and the intercept, where there is one, at what
/// fits the training rows best by itself, as a float32.
std::vector<double> first_weights(const ModelConfig& model, const RowSetInfo& train);

/// The mean loss of `rows` by a model without features that was fitted to `train`: by its
/// intercept, or by a score of 0 where it has none.
double constant_loss(const ModelConfig& model, const RowSetInfo& rows, const RowSetInfo& train);

/// l1 ||w||_1 (or its smooth stand-in) + l2/2 ||w||^2 of `weights` [d].
double penalty_value(std::span<const double> weights, const Penalty& penalty);

/// Throws ConfigError when a pass met scores or losses that only a diverging training makes.
/// epoch, step: where, counted from 1; step 0: at the epoch's end.
void check_convergence(const StepTotals& totals, std::int64_t rows, double learning_rate,
                       std::int64_t epoch, std::int64_t step);

/// Fills in what this machine could have done at most, from speed.passes and train_s.  Collective:
/// all ranks measure at the same time, as they train, for they may share a machine's memory.
void measure_ceiling(Summary& summary, Backend& backend, Communicator& communicator);

/// Full passes over a set of rows at the backend's weights.
class Evaluator {
 public:
  Evaluator(const ModelConfig& model, Penalty penalty, double learning_rate, Backend& backend,
            Communicator& communicator);

  /// Collective; every rank gets the same answer.  epoch: the last one finished, for messages.
  Metrics evaluate(const RowSetInfo& rows, std::int64_t epoch);

 private:
  void count_predictions(const RowSetInfo& rows, Metrics& metrics);
  double measure_auc(const RowSetInfo& rows);
  PairCounts pairs_of_all_ranks(const RowSetInfo& rows);

  Penalty penalty_;
  double learning_rate_;
  double cut_;  // scores from here on are predicted positive
  Backend& backend_;
  Communicator& communicator_;
};

}  // namespace ossau
