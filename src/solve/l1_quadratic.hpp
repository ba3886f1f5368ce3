#pragma once

#include <span>

#include "solve/vectors.hpp"

namespace ossau {

/// The step s that minimises gradient's + s'H s / 2 + l1 |w + s|_1, the last weight (the intercept)
/// without penalty: sweeps of coordinate descent find the weights that are not 0, a Cholesky factor
/// on these the step to the first sign that would change, until nothing does.
/// hessian: positive semi-definite; start: w.
/// Source: Friedman, Hastie and Tibshirani, Regularization paths, 2010 (coordinate descent).
Vector minimize_l1_quadratic(const Triangle& hessian, std::span<const double> gradient,
                             std::span<const double> start, double l1);

}  // namespace ossau
