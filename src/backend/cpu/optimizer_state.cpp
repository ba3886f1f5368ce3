#include "backend/cpu/optimizer_state.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <utility>

#include "arith/feature_sum.hpp"
#include "arith/update.hpp"

namespace ossau {
namespace {

// NaN, once met, stays.
double larger(double a, double b) {
  if (std::isnan(a)) return a;
  return std::isnan(b) || b > a ? b : a;
}

}  // namespace

OptimizerState::OptimizerState(ModelSetup setup, ThreadPool& pool)
    : setup_(std::move(setup)),
      model_(model_rule(setup_)),
      pool_(pool),
      unit_powers_(std::all_of(setup_.exponent_power.begin(), setup_.exponent_power.end(),
                               [](double power) { return power == 1.0; })),
      maxima_(static_cast<std::size_t>(pool.size())),
      scoring_(setup_.exponent_power.size()) {
  weights_.resize(setup_.exponent_power.size() + 1);
  if (setup_.rule == UpdateRule::kMomentum) velocity_.resize(weights_.size());
  if (looks_ahead()) {
    lookahead_.resize(weights_.size());
    proposal_.resize(weights_.size());
    chunk_sums_.resize((weights_.size() + kFeatureChunk - 1) / kFeatureChunk);
  }
}

void OptimizerState::set_weights(std::span<const double> weights) {
  std::copy(weights.begin(), weights.end(), weights_.begin());
  std::fill(velocity_.begin(), velocity_.end(), 0.0);
  if (!lookahead_.empty()) lookahead_ = weights_;
  nesterov_t_ = 1;
  scale_ = 1;
  point_ = EvaluationPoint::kRule;
  refresh_scoring(0, features() + 1, weights_);
}

void OptimizerState::get_weights(std::span<double> weights) const {
  std::copy(weights_.begin(), weights_.end(), weights.begin());
  if (setup_.rule != UpdateRule::kScaled) return;
  for (std::size_t j = 0; j + 1 < weights_.size(); ++j) weights[j] *= scale_;
}

ModelSnapshot OptimizerState::snapshot() const {
  const AlignedVector<double>& beside = looks_ahead() ? lookahead_ : velocity_;
  return {.weights = {weights_.begin(), weights_.end()},
          .beside = {beside.begin(), beside.end()},
          .nesterov_t = nesterov_t_,
          .scale = scale_};
}

void OptimizerState::restore(const ModelSnapshot& snapshot) {
  AlignedVector<double>& beside = looks_ahead() ? lookahead_ : velocity_;
  assert(snapshot.weights.size() == weights_.size() && snapshot.beside.size() == beside.size());
  std::copy(snapshot.weights.begin(), snapshot.weights.end(), weights_.begin());
  std::copy(snapshot.beside.begin(), snapshot.beside.end(), beside.begin());
  nesterov_t_ = snapshot.nesterov_t;
  scale_ = snapshot.scale;
  point_ = EvaluationPoint::kRule;
  refresh_scoring(0, features() + 1, looks_ahead() ? lookahead_ : weights_);
}

void OptimizerState::look_at(EvaluationPoint point) {
  point_ = point;
  if (!looks_ahead()) return;
  refresh_scoring(0, features() + 1, point == EvaluationPoint::kRule ? lookahead_ : weights_);
}

void OptimizerState::adopt_evaluation_point() {
  if (looks_ahead()) weights_ = lookahead_;
}

ScoringWeights OptimizerState::scoring() const {
  return {.values = scoring_.data(),
          .scale = static_cast<float>(scale_),
          .intercept = scoring_intercept_};
}

bool OptimizerState::looks_ahead() const {
  return setup_.rule == UpdateRule::kAdaptive || setup_.rule == UpdateRule::kNesterov;
}

double OptimizerState::exponent_power(std::int64_t j) const {
  return j < features() ? setup_.exponent_power[static_cast<std::size_t>(j)] : 1.0;
}

double OptimizerState::loss_gradient(const std::int64_t* sums, double factor,
                                     std::int64_t j) const {
  return model_.loss_gradient(sums[j], factor, exponent_power(j), j);
}

double OptimizerState::gradient(const std::int64_t* sums, double factor, std::int64_t j,
                                double at) const {
  return model_.gradient(sums[j], factor, exponent_power(j), j, at);
}

double OptimizerState::point(std::int64_t j) const {
  const auto i = static_cast<std::size_t>(j);
  if (looks_ahead() && point_ == EvaluationPoint::kRule) {
    return lookahead_[i];
  }
  return j < features() ? scale_ * weights_[i] : weights_[i];
}

double OptimizerState::gradient_max(const std::int64_t* sums, double factor, double rate) {
  for (ThreadMaximum& maximum : maxima_) maximum.value = 0;
  pool_.split(features() + 1, kFeatureGrain,
              [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
                double& mine = maxima_[static_cast<std::size_t>(thread)].value;
                for (std::int64_t j = begin; j < end; ++j) {
                  const double w = point(j);
                  const double g =
                      stationarity(w, gradient(sums, factor, j, w), rate, model_.l1(j));
                  mine = larger(mine, std::fabs(g));
                }
              });
  double largest = 0;
  for (const ThreadMaximum& maximum : maxima_) largest = larger(largest, maximum.value);
  return largest;
}

void OptimizerState::refresh_scoring(std::int64_t begin, std::int64_t end,
                                     std::span<const double> from) {
  for (std::int64_t j = begin; j < std::min(end, features()); ++j) {
    const auto i = static_cast<std::size_t>(j);
    scoring_[i] = scoring_weight(from[i], setup_.exponent_power[i]);
  }
  if (end == features() + 1) scoring_intercept_ = static_cast<float>(from.back());
}

void OptimizerState::update(GradientSums& sums, const StepParameters& step) {
  switch (setup_.rule) {
    case UpdateRule::kDescent:
      return descent(sums.merged().data, step);
    case UpdateRule::kMomentum:
      return momentum(sums.merged().data, step);
    case UpdateRule::kNesterov:
    case UpdateRule::kAdaptive:
      return accelerated(sums.merged().data, step);
    case UpdateRule::kScaled:
      // A fold moves every v; under a negative scale a sum of 0 turns -0 into +0.
      if (sums.listed() && !step.fold && step.scale > 0) return scaled_touched(sums, step);
      return scaled(sums.merged().data, step);
  }
}

void OptimizerState::descent(const std::int64_t* sums, const StepParameters& step) {
  pool_.split(
      features() + 1, kFeatureGrain, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
        for (std::int64_t j = begin; j < end; ++j) {
          double& w = weights_[static_cast<std::size_t>(j)];
          w = descend(w, gradient(sums, step.gradient_factor, j, w), step.rate, model_.l1(j));
        }
        refresh_scoring(begin, end, weights_);
      });
}

void OptimizerState::momentum(const std::int64_t* sums, const StepParameters& step) {
  pool_.split(features() + 1, kFeatureGrain,
              [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                for (std::int64_t j = begin; j < end; ++j) {
                  const auto i = static_cast<std::size_t>(j);
                  double& w = weights_[i];
                  const double g = gradient(sums, step.gradient_factor, j, w);
                  w = roll(w, velocity_[i], g, setup_.momentum, step.rate, model_.l1(j));
                }
                refresh_scoring(begin, end, weights_);
              });
}

// x_(k+1) = prox(y_k - rate g(y_k)); returns g . (x_(k+1) - x_k), g the gradient, or for L1 the
// proximal step.  Source: O'Donoghue and Candes, Adaptive Restart for Accelerated Gradient Schemes.
double OptimizerState::propose(const std::int64_t* sums, const StepParameters& step) {
  const std::int64_t n = features() + 1;
  const std::int64_t chunks = (n + kFeatureChunk - 1) / kFeatureChunk;
  const auto term = [&](std::int64_t j) {
    const auto i = static_cast<std::size_t>(j);
    const double y = lookahead_[i];
    const double g = gradient(sums, step.gradient_factor, j, y);
    proposal_[i] = descend(y, g, step.rate, model_.l1(j));
    const double slope = model_.l1(j) > 0 ? (y - proposal_[i]) / step.rate : g;
    return slope * (proposal_[i] - weights_[i]);
  };
  pool_.split(chunks, kFeatureGrain / kFeatureChunk,
              [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                for (std::int64_t chunk = begin; chunk < end; ++chunk) {
                  const std::int64_t first = chunk * kFeatureChunk;
                  chunk_sums_[static_cast<std::size_t>(chunk)] =
                      chunk_sum(first, std::min(kFeatureChunk, n - first), term);
                }
              });
  double slope = 0;
  for (const double sum : chunk_sums_) slope += sum;
  return slope;
}

// Nesterov's (t_k - 1) / t_(k+1); where the step went uphill the sequence starts again.
double OptimizerState::adaptive_momentum(double slope) {
  const bool restart = slope > 0;
  const double next_t = restart ? 1.0 : next_nesterov_t(nesterov_t_);
  const double momentum = restart ? 0.0 : (nesterov_t_ - 1) / next_t;
  nesterov_t_ = next_t;
  return momentum;
}

void OptimizerState::accelerated(const std::int64_t* sums, const StepParameters& step) {
  const double slope = propose(sums, step);
  const double momentum =
      setup_.rule == UpdateRule::kAdaptive ? adaptive_momentum(slope) : setup_.momentum;
  pool_.split(
      features() + 1, kFeatureGrain, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          lookahead_[i] = proposal_[i] + momentum * (proposal_[i] - weights_[i]);
          weights_[i] = proposal_[i];
        }
        refresh_scoring(begin, end, lookahead_);
      });
}

void OptimizerState::scale_intercept(std::int64_t sum, const StepParameters& step) {
  if (!setup_.intercept) return;
  weights_.back() -= step.rate * mean_gradient(sum, step.gradient_factor, 1.0);
  scoring_intercept_ = static_cast<float>(weights_.back());
}

void OptimizerState::scaled(const std::int64_t* sums, const StepParameters& step) {
  scale_ = step.scale;
  const double rate = step.rate / step.scale;
  pool_.split(features(), kFeatureGrain, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t j = begin; j < end; ++j) {
      double& v = weights_[static_cast<std::size_t>(j)];
      if (step.fold) v *= step.fold_factor;
      v -= rate * loss_gradient(sums, step.gradient_factor, j);
    }
    refresh_scoring(begin, end, weights_);
  });
  scale_intercept(sums[features()], step);
}

// The rest keep their bits: their sums are 0.
void OptimizerState::scaled_touched(GradientSums& sums, const StepParameters& step) {
  scale_ = step.scale;
  const double rate = step.rate / step.scale;
  scale_intercept(sums.intercept(), step);
  double* weights = weights_.data();
  float* scoring = scoring_.data();
  // Columns of ones, the usual case on wide data, have no powers worth a cache miss.
  const double* powers = unit_powers_ ? nullptr : setup_.exponent_power.data();
  sums.consume(
      [&](std::uint32_t j) {
        __builtin_prefetch(weights + j, 1);
        __builtin_prefetch(scoring + j, 1);
        if (powers != nullptr) __builtin_prefetch(powers + j, 0);
      },
      [&](std::uint32_t j, std::int64_t sum) {
        const double power = powers != nullptr ? powers[j] : 1.0;
        weights[j] -= rate * mean_gradient(sum, step.gradient_factor, power);
        scoring[j] = scoring_weight(weights[j], power);
      });
}

}  // namespace ossau
