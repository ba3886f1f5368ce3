#include "backend/cpu/optimizer_state.hpp"

#include <algorithm>
#include <array>
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
      traits_(traits_of(setup_.rule)),
      pool_(pool),
      unit_powers_(std::all_of(setup_.exponent_power.begin(), setup_.exponent_power.end(),
                               [](double power) { return power == 1.0; })),
      maxima_(static_cast<std::size_t>(pool.size())),
      scoring_(setup_.exponent_power.size()) {
  weights_.resize(setup_.exponent_power.size() + 1);
  for (int k = 0; k < traits_.states; ++k) states_.emplace_back(weights_.size());
  if (traits_.needs_slope) {
    proposal_.resize(weights_.size());
    chunk_sums_.resize((weights_.size() + kFeatureChunk - 1) / kFeatureChunk);
  }
}

void OptimizerState::set_weights(std::span<const double> weights) {
  std::copy(weights.begin(), weights.end(), weights_.begin());
  for (AlignedVector<double>& state : states_) std::fill(state.begin(), state.end(), 0.0);
  if (traits_.looks_ahead) states_[0] = weights_;
  nesterov_t_ = 1;
  scale_ = 1;
  point_ = EvaluationPoint::kRule;
  refresh_scoring(0, features() + 1, weights_);
}

void OptimizerState::get_weights(std::span<double> weights) const {
  std::copy(weights_.begin(), weights_.end(), weights.begin());
  if (!traits_.scales_weights) return;
  for (std::size_t j = 0; j + 1 < weights_.size(); ++j) weights[j] *= scale_;
}

ModelSnapshot OptimizerState::snapshot() const {
  ModelSnapshot snapshot{.weights = {weights_.begin(), weights_.end()},
                         .optimizer_state = {},
                         .nesterov_t = nesterov_t_,
                         .scale = scale_};
  for (const AlignedVector<double>& state : states_) {
    snapshot.optimizer_state.insert(snapshot.optimizer_state.end(), state.begin(), state.end());
  }
  return snapshot;
}

void OptimizerState::restore(const ModelSnapshot& snapshot) {
  assert(snapshot.weights.size() == weights_.size() &&
         snapshot.optimizer_state.size() == states_.size() * weights_.size());
  std::copy(snapshot.weights.begin(), snapshot.weights.end(), weights_.begin());
  const double* from = snapshot.optimizer_state.data();
  for (AlignedVector<double>& state : states_) {
    std::copy_n(from, state.size(), state.begin());
    from += state.size();
  }
  nesterov_t_ = snapshot.nesterov_t;
  scale_ = snapshot.scale;
  point_ = EvaluationPoint::kRule;
  refresh_scoring(0, features() + 1, evaluation_weights());
}

void OptimizerState::look_at(EvaluationPoint point) {
  point_ = point;
  if (traits_.looks_ahead) refresh_scoring(0, features() + 1, evaluation_weights());
}

void OptimizerState::adopt_evaluation_point() {
  if (traits_.looks_ahead) weights_ = states_[0];
}

ScoringWeights OptimizerState::scoring() const {
  return {.values = scoring_.data(),
          .scale = static_cast<float>(scale_),
          .intercept = scoring_intercept_};
}

const AlignedVector<double>& OptimizerState::evaluation_weights() const {
  return traits_.looks_ahead && point_ == EvaluationPoint::kRule ? states_[0] : weights_;
}

double OptimizerState::exponent_power(std::int64_t j) const {
  return j < features() ? setup_.exponent_power[static_cast<std::size_t>(j)] : 1.0;
}

double OptimizerState::gradient_max(const std::int64_t* sums, double factor, double rate) {
  for (ThreadMaximum& maximum : maxima_) maximum.value = 0;
  const AlignedVector<double>& from = evaluation_weights();
  pool_.split(features() + 1, kFeatureGrain,
              [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
                double& mine = maxima_[static_cast<std::size_t>(thread)].value;
                for (std::int64_t j = begin; j < end; ++j) {
                  const double at = from[static_cast<std::size_t>(j)];
                  const double w = j < features() ? scale_ * at : at;
                  const double g = model_.gradient(sums[j], factor, exponent_power(j), j, w);
                  mine = larger(mine, std::fabs(stationarity(w, g, rate, model_.l1(j))));
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
  scale_ = step.scale;
  with_rule(setup_.rule, [&](auto kind) {
    using R = typename decltype(kind)::Rule;
    if constexpr (R::kNeedsSlope) {
      move_by_slope<R>(sums.merged().data, step);
    } else if (R::keeps_untouched(model_, step) && sums.listed()) {
      move_touched<R>(sums, step);
    } else {
      move_all<R>(sums.merged().data, step);
    }
  });
}

// The rule and what it moves, by value and by address: the compiler keeps them in registers.
template <class R>
struct OptimizerState::Mover {
  R rule;
  double* weights;
  std::array<double*, R::kStates> states;

  Mover(const R& of_rule, OptimizerState& of) : rule(of_rule), weights(of.weights_.data()) {
    for (std::size_t k = 0; k < states.size(); ++k) states[k] = of.states_[k].data();
  }

  /// Returns what scores rows from now on.
  double move(std::int64_t j, std::int64_t sum, double power) const {
    std::array<double, R::kStates + 1> state;  // one more: arrays of none have no address
    for (std::size_t k = 0; k < states.size(); ++k) state[k] = states[k][j];
    double w = weights[j];
    rule.move({.j = j, .sum = sum, .exponent_power = power}, w, state.data());
    weights[j] = w;
    for (std::size_t k = 0; k < states.size(); ++k) states[k][j] = state[k];
    return R::kLooksAhead ? state[0] : w;
  }
};

template <class R>
void OptimizerState::move_all(const std::int64_t* sums, const StepParameters& step) {
  const Mover<R> mover(R(model_, step), *this);
  pool_.split(features() + 1, kFeatureGrain,
              [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                const Mover<R> mine = mover;
                const double* powers = setup_.exponent_power.data();
                float* scoring = scoring_.data();
                for (std::int64_t j = begin; j < std::min(end, features()); ++j) {
                  scoring[j] = scoring_weight(mine.move(j, sums[j], powers[j]), powers[j]);
                }
                if (end == features() + 1) move_intercept(mine, sums[features()]);
              });
}

template <class R>
void OptimizerState::move_intercept(const Mover<R>& mover, std::int64_t sum) {
  scoring_intercept_ = static_cast<float>(mover.move(features(), sum, 1.0));
}

// The rest keep their bits: their sums are 0.
template <class R>
void OptimizerState::move_touched(GradientSums& sums, const StepParameters& step) {
  const Mover<R> mover(R(model_, step), *this);
  move_intercept(mover, sums.intercept());
  float* scoring = scoring_.data();
  // Columns of ones, the usual case on wide data, have no powers worth a cache miss.
  const double* powers = unit_powers_ ? nullptr : setup_.exponent_power.data();
  sums.consume(
      [&](std::uint32_t j) {
        __builtin_prefetch(mover.weights + j, 1);
        for (double* state : mover.states) __builtin_prefetch(state + j, 1);
        __builtin_prefetch(scoring + j, 1);
        if (powers != nullptr) __builtin_prefetch(powers + j, 0);
      },
      [&](std::uint32_t j, std::int64_t sum) {
        const double power = powers != nullptr ? powers[j] : 1.0;
        scoring[j] = scoring_weight(mover.move(j, sum, power), power);
      });
}

template <class R>
double OptimizerState::propose(const R& rule, const std::int64_t* sums) {
  const std::int64_t n = features() + 1;
  const std::int64_t chunks = (n + kFeatureChunk - 1) / kFeatureChunk;
  const auto term = [&](std::int64_t j) {
    const auto i = static_cast<std::size_t>(j);
    return rule.propose({.j = j, .sum = sums[j], .exponent_power = exponent_power(j)}, weights_[i],
                        &states_[0][i], proposal_[i]);
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

template <class R>
void OptimizerState::move_by_slope(const std::int64_t* sums, const StepParameters& step) {
  static_assert(R::kStates == 1 && R::kLooksAhead);
  const double slope = propose(R(model_, step), sums);
  const double momentum = R::choose_momentum(slope, nesterov_t_);
  pool_.split(
      features() + 1, kFeatureGrain, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          R::accept(proposal_[i], momentum, weights_[i], &states_[0][i]);
        }
        refresh_scoring(begin, end, states_[0]);
      });
}

}  // namespace ossau
