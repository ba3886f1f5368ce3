#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arith/loss.hpp"
#include "arith/model_snapshot.hpp"
#include "arith/rules/list.hpp"
#include "arith/step.hpp"
#include "arith/update.hpp"
#include "backend/ranking.hpp"
#include "backend/solver_passes.hpp"
#include "core/buffer.hpp"
#include "core/rank.hpp"
#include "data/batch_order.hpp"
#include "data/tiles.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Which of a backend's rows.
enum class RowSet { kTrain, kValidation };

/// Where gradients are taken.
enum class EvaluationPoint { kRule, kWeights };

/// What a backend must know of the model and the optimiser before the first step.
struct ModelSetup {
  LossKind loss = LossKind::kLogistic;
  bool intercept = true;
  std::vector<double> exponent_power;  // [d]: 2^e_j, a stored feature is x_j 2^-e_j
  UpdateRule rule = UpdateRule::kDescent;
  RuleSettings settings = {};
  Penalty penalty;
};

/// What the update of one element must know of it.
inline ModelRule model_rule(const ModelSetup& setup) {
  return {.features = static_cast<std::int64_t>(setup.exponent_power.size()),
          .intercept = setup.intercept,
          .settings = setup.settings,
          .penalty = setup.penalty};
}

/// What a pass has added up for one feature.
struct FeatureSum {
  std::int64_t feature = 0;
  std::int64_t sum = 0;
};

/// Rows by class and prediction.
struct PredictionCounts {
  std::array<std::int64_t, 4> counts = {0, 0, 0, 0};  // [2 * positive + predicted positive]
};

/// What a backend is; fixed once it is made.
struct BackendAttributes {
  std::string device;                       // "cpu" or "cuda"
  std::string unit;                         // for people: instruction set or GPU, "avx512"
  MemorySpace memory = MemorySpace::kHost;  // where sums and weights are
};

/// Sums of a pass that touched few of many features, to be exchanged by feature.  Of the last
/// gradient pass over training rows.
class SparseSums {
 public:
  virtual ~SparseSums() = default;

  /// False where the pass touched too many; else moves the features' sums to the end of `entries`.
  virtual bool take(std::vector<FeatureSum>& entries) = 0;
  /// Adds what was taken here and by other ranks, at most as many entries as there are features.
  virtual void add(std::span<const FeatureSum> entries) = 0;
  /// The sums that belong to no feature, in host memory, where they may be changed: the intercept's
  /// and the totals.
  virtual std::span<std::int64_t> rest() = 0;
};

/// Steps of one epoch in a row.
struct StepRun {
  const BatchOrder& order;  // the epoch has been started
  Range steps;              // of the epoch
  int fixed_bits = 0;
  std::span<const StepParameters> parameters;  // [steps]
  std::span<StepTotals> totals;                // [steps], to be filled: those of all ranks
  // Queues the addition of sums over ranks, and waits for what is queued; empty for a rank alone.
  std::function<void(SumBuffer)> queue_reduction;
  std::function<void(SumBuffer)> await;
};

/// Many minibatch steps without the host between them.
class StepGraphs {
 public:
  virtual ~StepGraphs() = default;

  /// Takes the memory that runs over such batches need, before the first of them: later, another
  /// rank may already wait for this one in a sum, and taking memory may wait for that rank's
  /// device.
  virtual void reserve(const BatchOrder& order) = 0;
  /// For each step: gradient of its batch, reduction over ranks, update.  A step whose totals show
  /// divergence may be followed by others: no model comes of them.
  virtual void run(const StepRun& run) = 0;
};

/// One processor: owns the tiles it was given, the weights, the optimiser's state and the sums.
/// Gradients are taken at the evaluation point: the weights, or what Nesterov's methods look at.
/// Every implementation gives the same bits (docs/arithmetic.md).  Calls throw DeviceError.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual const BackendAttributes& attributes() const = 0;

  // ---- The model

  /// Puts this in place: weights [d + 1] (intercept last), optimiser state zeroed.
  virtual void set_weights(std::span<const double> weights) = 0;
  /// Copies the weights, [d + 1].
  virtual void get_weights(std::span<double> weights) const = 0;
  /// Copies what the next step starts from.
  virtual ModelSnapshot snapshot() const = 0;
  /// Puts this in place, made by a backend of the same setup; gradients are taken where the rule
  /// wants them.
  virtual void restore(const ModelSnapshot& snapshot) = 0;
  /// Takes the next passes at the weights themselves, or again where the rule wants them.
  virtual void look_at(EvaluationPoint point) = 0;
  /// Makes the evaluation point the weights: for stopping where a gradient was found small.
  virtual void adopt_evaluation_point() = 0;
  /// The objective's largest gradient entry at the evaluation point, from the sums; for L1 the
  /// largest entry of the proximal step of length `rate`.
  virtual double gradient_max(double gradient_factor, double rate) = 0;
  /// Moves the weights by the sums, which are used up.
  virtual void update(const StepParameters& step) = 0;

  // ---- Rows: sums at the evaluation point.  fixed_bits: see fixed_point_bits().

  /// All tiles that are here, whole and in order.  A pass that is given this very list need not
  /// look at it.
  virtual std::span<const TileSlice> every_tile(RowSet set) const = 0;
  /// Sets the sums to those of `slices`, tiles that are here.
  virtual void gradient(RowSet set, std::span<const TileSlice> slices, int fixed_bits) = 0;
  /// The same of every tile, and keeps the rows' scores.
  virtual void gradient_and_scores(RowSet set, int fixed_bits) = 0;
  /// The sums of the last pass (SumLayout) in host memory or in the backend's own, to be
  /// all-reduced in place and given back by set_sums().  In host memory one more number follows
  /// them, which is the caller's: a note that may travel along.  A rank that is alone should not
  /// ask: a backend may know more of sums that it has not shown.
  virtual SumBuffer sums(MemorySpace where) = 0;
  virtual void set_sums(SumBuffer buffer) = 0;
  virtual StepTotals totals() const = 0;

  // ---- Of the scores that were kept

  /// cut: scores from here on are predicted positive.
  virtual PredictionCounts count_predictions(double cut) = 0;
  /// The pairs of rows that are here, by order of their scores.
  virtual PairCounts count_pairs() = 0;
  /// keys: [rows here], see ranking_key().
  virtual void ranking_keys(std::span<std::int64_t> keys) const = 0;

  // ---- What only some can do, else null; they live as long as the backend

  virtual SparseSums* sparse_sums() { return nullptr; }
  virtual StepGraphs* step_graphs() { return nullptr; }
  virtual SolverPasses* solver_passes() { return nullptr; }

  /// Seconds for reading the training rows that are here once, doing as little as can be with them:
  /// the floor of a pass.  Takes a few passes; 0 where memory does not suffice to measure it.
  virtual double bare_pass_s() = 0;
};

/// The tiles of one rank.
struct BackendRows {
  TileSet train;
  TileSet validation;  // no tiles: none
};

/// Every backend there is; `config.device` chooses, once choose_devices() has filled it in.  Throws
/// DeviceError where the chosen one cannot run here, with the reason.
/// rank: which of the ranks this one is; all run in this process, with `threads` CPU threads each.
std::unique_ptr<Backend> make_backend(const RunConfig& config, RankInfo rank, std::int64_t threads,
                                      BackendRows rows, ModelSetup setup);

}  // namespace ossau
