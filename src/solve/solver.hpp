#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "solve/objective.hpp"
#include "solve/vectors.hpp"

namespace ossau {

/// A step and what it did to the gradient: what L-BFGS knows of the Hessian.
struct StepPair {
  Vector step;
  Vector change;
};

/// x <- about the inverse Hessian times x: `base` bent so that it agrees with the pairs, the oldest
/// first.  base(v): v <- a first guess at the inverse Hessian times v.
/// Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 7.4.
template <class Base>
void apply_pairs(const std::vector<StepPair>& pairs, const Base& base, Vector& x) {
  std::vector<double> alpha(pairs.size());
  std::vector<double> product(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    product[i] = dot(pairs[i].step, pairs[i].change);
    alpha[i] = dot(pairs[i].step, x) / product[i];
    axpy(-alpha[i], pairs[i].change, x);
  }
  base(x);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    axpy(alpha[i] - dot(pairs[i].change, x) / product[i], pairs[i].step, x);
  }
}

/// All that a solver needs to go on as if it had never stopped.
struct SolverState {
  Vector point;                   // [d + 1], as it scores
  Vector hessian_point;           // where its Hessian was looked at; empty: nowhere yet
  std::vector<StepPair> pairs;    // the oldest first
  std::vector<double> bounds;     // gap_bound() there and after each step since
  double first_gradient = 0;      // size of the first gradient
  double gap = INFINITY;          // see Solver::gap()
  double best_gap = INFINITY;     // so far
  std::int64_t without_gain = 0;  // iterations since it was halved
  std::int64_t settled = 0;       // steps that left most zeros where they were, in a row
  std::int64_t reads = 0;         // of the rows
  std::int64_t gram_passes = 0;
};

/// Slots of scores that any solver takes: they must be there before it is made.
inline constexpr std::size_t kSolverSlots = 4;

/// Walks to the minimum of an objective, iteration by iteration.  Collective; every rank gets the
/// same bits.  Decides by derivatives alone, never by losses: near the minimum these are all
/// equal.
class Solver {
 public:
  virtual ~Solver() = default;

  /// goal: the gap that is wanted in the end.  False where no step leads further: float32 weights
  /// and scores allow no better.
  virtual bool iterate(double goal) = 0;

  virtual const Vector& point() const = 0;
  /// What is known at the point, its curvature included.
  virtual const Evaluation& at() const = 0;
  /// How far the value is above the minimum as far as the solver knows: gap_bound(), or, without
  /// penalties, what it estimates.
  virtual double gap() const = 0;
  /// Whether the solver knows columns so nearly collinear that what it estimates is far too small.
  virtual bool nearly_collinear() const { return false; }

  virtual SolverState state() const = 0;
};

}  // namespace ossau
