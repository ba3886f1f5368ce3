#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "solve/vectors.hpp"

namespace ossau {

/// The part of space around a point where an L1 penalty has one slope for each feature: every
/// weight keeps its sign, and one of 0 takes that to which the value falls, or stays.  Without a
/// penalty that is everywhere.
/// Source: Andrew and Gao, Scalable training of L1-regularized log-linear models, ICML 2007.
class Orthant {
 public:
  /// point, gradient (of all but l1): [d + 1], intercept last; `point` must outlive this.
  Orthant(const Vector& point, const Vector& gradient, double l1)
      : point_(point), slopes_(gradient), free_(gradient.size(), true), l1_(l1) {
    if (l1 == 0) return;
    for (std::size_t j = 0; j + 1 < slopes_.size(); ++j) {
      const double outside = std::fabs(slopes_[j]) - l1;
      free_[j] = point[j] != 0 || outside > 0;
      if (point[j] != 0) {
        slopes_[j] += std::copysign(l1, point[j]);
      } else {
        slopes_[j] = free_[j] ? std::copysign(outside, slopes_[j]) : 0.0;
      }
    }
  }

  /// Of the value, penalties and all; 0 where a weight stays.
  const Vector& slopes() const { return slopes_; }

  /// x <- x, but 0 where a weight stays.
  void hold(Vector& x) const {
    if (l1_ == 0) return;
    for (std::size_t j = 0; j < x.size(); ++j) {
      if (!free_[j]) x[j] = 0;
    }
  }

  /// t times the step, but weights end at 0 where they would leave.
  Vector clipped(const Vector& step, double t) const {
    Vector result(step.size());
    axpy(t, step, result);
    for (std::size_t j = 0; j + 1 < result.size(); ++j) {
      const double side = point_[j] != 0 ? point_[j] : -slopes_[j];
      if ((point_[j] + result[j]) * side < 0) result[j] = -point_[j];
    }
    return result;
  }

  /// How far point + step + t along may go before a weight is 0; infinite without a penalty.
  double room(const Vector& step, const Vector& along) const {
    double room = INFINITY;
    if (l1_ == 0) return room;
    for (std::size_t j = 0; j + 1 < step.size(); ++j) {
      const double here = point_[j] + step[j];
      if (here * along[j] < 0) room = std::fmin(room, -here / along[j]);
    }
    return room;
  }

  /// What the penalty changes by along a step, by its slope where the step ends.
  double penalty_change(const Vector& step) const {
    return l1_ * feature_sum(static_cast<std::int64_t>(step.size() - 1), [&](std::int64_t k) {
             const auto j = static_cast<std::size_t>(k);
             const double there = point_[j] + step[j];
             return there == 0 ? -std::fabs(step[j]) : std::copysign(step[j], there * step[j]);
           });
  }

 private:
  const Vector& point_;
  Vector slopes_;
  std::vector<bool> free_;
  double l1_;
};

}  // namespace ossau
