#pragma once

#include <cmath>
#include <cstdint>

#include "arith/bits.hpp"
#include "arith/contract.hpp"

// What update rules (rules/) are made of, element by element in float64, the same function on every
// processor.

namespace ossau {

/// Regularisation as the update sees it.
struct Penalty {
  double l1 = 0;  // by soft threshold
  double l2 = 0;
  double pseudo_huber = 0;  // l1 strength of the smooth stand-in
  double delta = 1;         // its width
};

/// What turns an integer sum into a mean gradient: mean = double(sum) * factor * 2^exponent.
/// factor = 2^-k / (b W / n) for b rows of a batch out of n rows that weigh W.
OSSAU_HOST_DEVICE inline double mean_gradient(std::int64_t sum, double factor,
                                              double exponent_power) {
  return static_cast<double>(sum) * factor * exponent_power;
}

/// Derivative of l2/2 w^2 + pseudo_huber (sqrt(w^2 + delta^2) - delta).
OSSAU_HOST_DEVICE inline double penalty_gradient(double w, const Penalty& penalty) {
  double g = penalty.l2 * w;
  if (penalty.pseudo_huber > 0) {
    g += penalty.pseudo_huber * (w / sqrt(w * w + penalty.delta * penalty.delta));
  }
  return g;
}

/// The proximal step of t |.|: shrinks v by t, exactly +0 up to t.  Source: Parikh and Boyd,
/// Proximal Algorithms, 6.5.2.
OSSAU_HOST_DEVICE inline double soft_threshold(double v, double t) {
  if (v > t) return v - t;
  if (v < -t) return v + t;
  return 0.0;
}

/// One step of (proximal) gradient descent.
OSSAU_HOST_DEVICE inline double descend(double w, double direction, double rate, double l1) {
  const double moved = w - rate * direction;
  return l1 > 0 ? soft_threshold(moved, rate * l1) : moved;
}

/// How far an entry is from stationary: the gradient itself, or for L1 the proximal step
/// (w - prox(w - rate g)) / rate, which is 0 exactly at a minimiser.
OSSAU_HOST_DEVICE inline double stationarity(double w, double g, double rate, double l1) {
  if (l1 <= 0) return g;
  // (w - (moved -+ rate l1)) / rate, without the cancellation.
  const double moved = w - rate * g;
  if (moved > rate * l1) return g + l1;
  if (moved < -rate * l1) return g - l1;
  return w / rate;
}

/// Numbers of an update rule's own; each rule says what its are.
struct RuleSettings {
  double values[4] = {};
};

/// What the update of one element must know of the model: d features, then the intercept.
struct ModelRule {
  std::int64_t features = 0;
  bool intercept = true;  // whether it moves
  RuleSettings settings = {};
  Penalty penalty;

  OSSAU_HOST_DEVICE double l1(std::int64_t j) const { return j < features ? penalty.l1 : 0; }
  /// The entry of the mean loss's gradient; 0 for an intercept that the model does not have.
  OSSAU_HOST_DEVICE double loss_gradient(std::int64_t sum, double factor, double exponent_power,
                                         std::int64_t j) const {
    return j < features || intercept ? mean_gradient(sum, factor, exponent_power) : 0.0;
  }
  /// With the smooth penalties' at weight `at`.
  OSSAU_HOST_DEVICE double gradient(std::int64_t sum, double factor, double exponent_power,
                                    std::int64_t j, double at) const {
    const double g = loss_gradient(sum, factor, exponent_power, j);
    return j < features ? g + penalty_gradient(at, penalty) : g;
  }
};

/// Nesterov's sequence: t <- (1 + sqrt(1 + 4 t^2)) / 2.
OSSAU_HOST_DEVICE inline double next_nesterov_t(double t) { return (1 + sqrt(1 + 4 * t * t)) / 2; }

/// The float32 weight that scores a column stored with 2^-exponent.
OSSAU_HOST_DEVICE inline float scoring_weight(double w, double exponent_power) {
  return static_cast<float>(w * exponent_power);
}

}  // namespace ossau
