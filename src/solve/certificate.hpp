#pragma once

#include <span>

#include "solve/objective.hpp"

namespace ossau {

/// How far an objective's value is above the minimum at most: for any point and any data, proved by
/// a point of the dual problem, the probabilities moved along their curvatures until their mean is
/// the labels'.  Infinite where that proves nothing: without penalties, and far from the optimum
/// where the intercept is off by more than a step of Newton's.
/// at: the point's, with its curvature.
/// Source: docs/arithmetic.md, "How far from the optimum".
double gap_bound(const Evaluation& at, std::span<const double> point, const Penalties& penalties);

/// The same by probabilities that are first moved along a direction d, which helps where d is about
/// Newton's step: the bound is then quadratic in what is left.  For max |X d| <= 1/2.
/// product: X'(cD)X d / W, without penalties; bend: d' times it.
double gap_bound(const Evaluation& at, std::span<const double> point, const Penalties& penalties,
                 std::span<const double> product, double bend);

/// A gap as a share of the minimum: of what the value is at least.
double relative_gap(double gap, double value);

}  // namespace ossau
