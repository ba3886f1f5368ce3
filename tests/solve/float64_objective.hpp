#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "solve/solve_samples.hpp"

namespace ossau::test {

/// The objective of a sample's rows as they are stored, in float64 by libm, and its minimum by
/// Newton's method: nothing here is shared with what it is compared to.
class Float64Objective {
 public:
  explicit Float64Objective(const SolverSample& sample)
      : l2_(sample.l2), intercept_(sample.intercept) {
    // Both layouts store the same numbers.
    SolverSample dense = sample;
    dense.layout = Layout::kDense;
    const PreparedRows rows = dense.prepared();
    total_weight_ = rows.tiles.total_weight;
    const auto n = static_cast<std::size_t>(rows.tiles.shards.rows());
    const auto d = static_cast<std::size_t>(rows.tiles.features);
    const auto& tiles = std::get<DenseTiles>(rows.tiles.storage);
    for (std::size_t i = 0; i < n; ++i) {
      Vector x(d + 1, 1.0);
      for (std::size_t j = 0; j < d; ++j) {
        x[j] = static_cast<double>(tiles.values[(i / 64 * d + j) * 64 + i % 64]) *
               rows.setup.exponent_power[j];
      }
      features_.push_back(std::move(x));
      signed_weight_.push_back(rows.tiles.signed_weight[i]);
    }
  }

  double value(const Vector& w) const {
    double total = 0;
    each_row(w, [&](double c, double m, const Vector&) {
      total += std::fabs(c) * (std::fmax(m, 0) + std::log1p(std::exp(-std::fabs(m))));
    });
    return total / total_weight_ + l2_ / 2 * (dot(w, w) - w.back() * w.back());
  }
  Vector gradient(const Vector& w) const {
    Vector g = w;
    for (double& x : g) x *= l2_;
    g.back() = 0;
    each_row(w, [&](double c, double m, const Vector& x) {
      axpy(c / (1 + std::exp(-m)) / total_weight_, x, g);
    });
    return g;
  }
  /// The Hessian, [d + 1] rows.
  std::vector<Vector> hessian(const Vector& w) const {
    std::vector<Vector> h(w.size(), Vector(w.size()));
    for (std::size_t j = 0; j + 1 < w.size(); ++j) h[j][j] = l2_;
    each_row(w, [&](double c, double m, const Vector& x) {
      const double e = std::exp(-std::fabs(m));
      const double curvature = std::fabs(c) * e / ((1 + e) * (1 + e)) / total_weight_;
      for (std::size_t j = 0; j < x.size(); ++j) axpy(curvature * x[j], x, h[j]);
    });
    return h;
  }
  Vector hessian_times(const Vector& w, const Vector& p) const {
    Vector product;
    for (const Vector& row : hessian(w)) product.push_back(dot(row, p));
    return product;
  }

  /// The point of least value, to float64's precision.  Needs a positive definite Hessian.
  Vector minimum() const {
    constexpr int kMostSteps = 100;
    Vector w(features_.front().size());
    for (int k = 0; k < kMostSteps; ++k) {
      Vector step = free_gradient(w);
      const double slope = dot(step, step);
      if (slope < 1e-30) break;
      solve(hessian(w), step);
      const double before = value(w);
      double t = 1;
      Vector there;
      do {
        there = w;
        axpy(-t, step, there);
        t /= 2;
      } while (value(there) > before + 1e-15 && t > 1e-9);
      w = there;
    }
    return w;
  }

 private:
  Vector free_gradient(const Vector& w) const {
    Vector g = gradient(w);
    if (!intercept_) g.back() = 0;
    return g;
  }

  // x <- H^-1 x by Gauss's elimination, of a positive definite H; without an intercept that of the
  // features alone.
  void solve(std::vector<Vector> h, Vector& x) const {
    const std::size_t n = intercept_ ? x.size() : x.size() - 1;
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = k + 1; i < n; ++i) {
        const double factor = h[i][k] / h[k][k];
        axpy(-factor, h[k], h[i]);
        x[i] -= factor * x[k];
      }
    }
    for (std::size_t k = n; k-- > 0;) {
      for (std::size_t j = k + 1; j < n; ++j) x[k] -= h[k][j] * x[j];
      x[k] /= h[k][k];
    }
  }

  // visit(signed weight, miss, features and a one for the intercept).
  template <class Visit>
  void each_row(const Vector& w, const Visit& visit) const {
    for (std::size_t i = 0; i < features_.size(); ++i) {
      const double c = signed_weight_[i];
      const double z = dot(w, features_[i]);
      visit(c, c < 0 ? -z : z, features_[i]);
    }
  }

  std::vector<Vector> features_;  // with a one behind them
  std::vector<double> signed_weight_;
  double total_weight_ = 0;
  double l2_;
  bool intercept_;
};

}  // namespace ossau::test
