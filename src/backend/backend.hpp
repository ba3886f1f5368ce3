#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arith/update.hpp"
#include "backend/ranking.hpp"
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

/// How weights move; fixed for a training.
enum class UpdateRule {
  kDescent,   // (proximal) gradient descent
  kMomentum,  // heavy ball
  kNesterov,  // gradients at a look-ahead w + momentum (w - w before)
  kAdaptive,  // Nesterov's t_k sequence with restart on the gradient
  kScaled,    // descent with w = a v: untouched features keep their bits (docs/sparse_updates.md)
};

/// What a backend must know of the model and the optimiser before the first step.
struct ModelSetup {
  std::int64_t outputs = 1;  // K
  bool intercept = true;
  std::vector<double> exponent_power;  // [d]: 2^e_j, a stored feature is x_j 2^-e_j
  UpdateRule rule = UpdateRule::kDescent;
  double momentum = 0;  // kMomentum, kNesterov
  Penalty penalty;
};

/// What the update of one element must know of it.
inline ModelRule model_rule(const ModelSetup& setup) {
  return {.features = static_cast<std::int64_t>(setup.exponent_power.size()),
          .intercept = setup.intercept,
          .momentum = setup.momentum,
          .penalty = setup.penalty};
}

/// What changes from step to step; computed on the host from the step's number alone.
struct StepParameters {
  double rate = 0;             // learning rate
  double gradient_factor = 0;  // see mean_gradient()
  double scale = 1;            // kScaled: a after this step
  bool fold = false;  // kScaled: first v <- a v, with the a that this step would reach; then a = 1
  double fold_factor = 1;  // that a
};

/// Totals of a gradient pass that are not gradients.
struct StepTotals {
  std::int64_t loss_floors = 0;     // sum of floor(loss)
  std::int64_t loss_fractions = 0;  // sum of the rest, times 2^32
  std::int64_t not_finite = 0;      // scores that were infinite or NaN, replaced by 0
  std::int64_t clamped = 0;         // losses above 2^31, clamped
};

/// Layout of the sums of a pass: d features, the intercept, then the totals; one run for each of
/// the K outputs.
struct SumLayout {
  std::int64_t features = 0;

  std::size_t intercept() const { return static_cast<std::size_t>(features); }
  std::size_t totals() const { return static_cast<std::size_t>(features) + 1; }
  std::size_t size() const { return static_cast<std::size_t>(features) + 1 + kTotals; }

  static constexpr std::size_t kTotals = 4;
};

/// What a pass has added up for one feature.
struct FeatureSum {
  std::int64_t feature = 0;
  std::int64_t sum = 0;
};

/// Weights and optimiser state between two steps, as a backend keeps them: any other that is set up
/// alike goes on from it with the same bits.
struct ModelSnapshot {
  std::vector<double> weights;  // [K, d + 1], intercept last; kScaled: v
  // kMomentum: velocity; kNesterov, kAdaptive: look-ahead; [K, d + 1], else empty
  std::vector<double> beside;
  double nesterov_t = 1;  // kAdaptive
  double scale = 1;       // kScaled: a
};

/// Rows by class and prediction.
struct PredictionCounts {
  std::array<std::int64_t, 4> counts = {0, 0, 0, 0};  // [2 * positive + predicted positive]
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

/// One processor: owns the tiles it was given, the weights, the optimiser's state and the sums.
/// Gradients are taken at the evaluation point: the weights, or what Nesterov's methods look at.
/// Every implementation gives the same bits (docs/arithmetic.md).  Calls throw DeviceError.
class Backend {
 public:
  virtual ~Backend() = default;

  /// For people: "cpu" and, for example, "avx512".
  virtual std::string device() const = 0;
  virtual std::string simd() const = 0;

  /// Puts this in place: weights [K, d + 1] (intercept last), optimiser state zeroed.
  virtual void set_weights(std::span<const double> weights) = 0;
  /// Copies the weights, [K, d + 1].
  virtual void get_weights(std::span<double> weights) const = 0;

  /// Copies what the next step starts from.
  virtual ModelSnapshot snapshot() const = 0;
  /// Puts this in place, made by a backend of the same setup; gradients are taken where the rule
  /// wants them.
  virtual void restore(const ModelSnapshot& snapshot) = 0;

  /// All tiles that are here, whole and in order.  A pass that is given this very list need not
  /// look at it.
  virtual std::span<const TileSlice> every_tile(RowSet set) const = 0;

  /// Sets the sums to those of `slices`, tiles that are here, at the evaluation point.
  /// fixed_bits: see fixed_point_bits().
  virtual void gradient(RowSet set, std::span<const TileSlice> slices, int fixed_bits) = 0;
  /// The same, and keeps the rows' scores.
  virtual void gradient_and_scores(RowSet set, std::span<const TileSlice> slices,
                                   int fixed_bits) = 0;
  /// Copies the scores that were kept, [slices, 64]; those of absent rows are undefined.
  virtual void get_scores(std::span<float> scores) const = 0;

  // Of the scores that a pass over every tile kept.
  /// cut: scores from here on are predicted positive.
  virtual PredictionCounts count_predictions(double cut) = 0;
  /// The pairs of rows that are here, by order of their scores.
  virtual PairCounts count_pairs() = 0;
  /// keys: [rows here], see ranking_key().
  virtual void ranking_keys(std::span<std::int64_t> keys) const = 0;

  /// Where sums and weights are.
  virtual MemorySpace memory() const { return MemorySpace::kHost; }
  /// The sums of the last pass (SumLayout) in host memory or in the backend's own, to be
  /// all-reduced in place and given back by set_sums().  In host memory one more number follows
  /// them, which is the caller's: a note that may travel along.  A rank that is alone should not
  /// ask: a backend may know more of sums that it has not shown.
  virtual SumBuffer sums(MemorySpace where) = 0;
  virtual void set_sums(SumBuffer buffer) = 0;
  virtual StepTotals totals() const = 0;

  // On wide sparse rows a step's sums may be exchanged by feature: its batch touches few of them.
  /// Whether passes may list what they touch; then, after a pass, the calls below.
  virtual bool lists_features() const { return false; }
  /// False where the last pass touched too many; else moves the features' sums into `entries`.
  virtual bool take_features(std::vector<FeatureSum>& /*entries*/) { return false; }
  /// Adds what was taken here and by other ranks, at most as many entries as there are features.
  virtual void add_features(std::span<const FeatureSum> /*entries*/) {}
  /// The sums that belong to no feature, in host memory, where they may be changed: the intercept's
  /// and the totals.
  virtual std::span<std::int64_t> rest_of_sums() { return {}; }

  /// The objective's largest gradient entry at the evaluation point, from the sums; for L1 the
  /// largest entry of the proximal step of length `rate`.
  virtual double gradient_max(double gradient_factor, double rate) = 0;

  /// Moves the weights by the sums, which are used up.
  virtual void update(const StepParameters& step) = 0;

  /// Whether run() takes many minibatch steps better than the calls above one by one.
  virtual bool takes_runs() const { return false; }
  /// For each step: gradient of its batch, reduction over ranks, update.  A step whose totals show
  /// divergence may be followed by others: no model comes of them.
  virtual void run(const StepRun& /*run*/) {}

  /// Takes the next passes at the weights themselves, or again where the rule wants them.
  virtual void look_at(EvaluationPoint point) = 0;
  /// Makes the evaluation point the weights: for stopping where a gradient was found small.
  virtual void adopt_evaluation_point() = 0;

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
