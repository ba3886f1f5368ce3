#include "solve/certificate.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace ossau {
namespace {

// What feature j adds to the gap, w at the dual point's v: l1 |w| + l2/2 w^2 - v w, and what the
// conjugate of the penalty says of v.  Written without differences of nearly equal numbers.
double feature_gap(double w, double v, const Penalties& penalties) {
  const double excess = std::fabs(v) - penalties.l1;
  if (excess <= 0 || penalties.l2 == 0) {
    return penalties.l1 * std::fabs(w) - v * w + penalties.l2 / 2 * w * w;
  }
  const double sign = std::copysign(1.0, v);
  const double rest = penalties.l2 * w - sign * excess;
  return penalties.l1 * (std::fabs(w) - sign * w) + rest * rest / (2 * penalties.l2);
}

// For L1 alone a dual point must be within l1 everywhere: probabilities go back towards the labels
// by this share of the way.
double shrinkage(std::span<const double> v, const Penalties& penalties) {
  const double largest = largest_entry(v);
  return penalties.l2 > 0 || largest <= penalties.l1 ? 1.0 : penalties.l1 / largest;
}

// gradient: at the dual point, without penalties.  divergence: its Kullback-Leibler divergence from
// the model's probabilities, at most.
double gap_at(std::span<const double> gradient, double divergence, double loss,
              std::span<const double> point, const Penalties& penalties) {
  const std::span<const double> g = gradient.first(gradient.size() - 1);
  const double share = shrinkage(g, penalties);
  const double features = feature_sum(static_cast<std::int64_t>(g.size()), [&](std::int64_t j) {
    const auto k = static_cast<std::size_t>(j);
    return feature_gap(point[k], -share * g[k], penalties);
  });
  // The divergence is convex, and from the labels it is the loss.
  return share * divergence + (1 - share) * loss + features;
}

}  // namespace

double gap_bound(const Evaluation& at, std::span<const double> point, const Penalties& penalties) {
  return gap_bound(at, point, penalties, {}, 0);
}

double gap_bound(const Evaluation& at, std::span<const double> point, const Penalties& penalties,
                 std::span<const double> product, double bend) {
  if (!at.finite || !(penalties.l1 > 0 || penalties.l2 > 0)) return INFINITY;
  Vector gradient = at.gradient;
  const std::size_t d = gradient.size() - 1;
  for (std::size_t j = 0; j < d; ++j) gradient[j] -= penalties.l2 * point[j];
  if (!product.empty()) axpy(1, product, gradient);
  double divergence = bend;
  // Without an intercept its slope and product are 0.
  if (gradient[d] != 0) {
    const double move = gradient[d] / at.curvature[d];
    // Probabilities stay in [0, 1], and the divergence below its quadratic bound, where a row
    // moves by at most its curvature.
    if (!(std::fabs(move) <= (product.empty() ? 1.0 : 0.5))) return INFINITY;
    axpy(-move, at.curvature, gradient);
    divergence += move * move * at.curvature[d] - (product.empty() ? 0 : 2 * move * product[d]);
  }
  return gap_at(gradient, divergence, at.loss, point, penalties);
}

double relative_gap(double gap, double value) {
  return gap < value ? gap / (value - gap) : INFINITY;
}

}  // namespace ossau
