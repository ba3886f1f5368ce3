#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "solve/certificate.hpp"
#include "solve/objective.hpp"
#include "solve/solver.hpp"

namespace ossau {

/// A point, what is known there, and the slot that keeps its scores; slots 0 and 1 are its own.
class Standing {
 public:
  static constexpr std::size_t kSlots = 2;

  Standing(Objective& objective, std::span<const double> start, EvaluationExtras extras)
      : objective_(objective), point_(objective.rounded(start)) {
    at_ = objective_.evaluate(point_, scores_, extras);
  }

  const Vector& point() const { return point_; }
  const Evaluation& at() const { return at_; }
  ScoreSlot scores() const { return scores_; }

  /// Of the point that was looked at last.
  ScoreSlot looked_at() const { return trial_; }

  struct Trial {
    Vector point;
    Evaluation at;
  };
  /// Looks at point + t direction, in one read.
  Trial look(std::span<const double> direction, double t, EvaluationExtras extras) {
    Vector there = point_;
    axpy(t, direction, there);
    there = objective_.rounded(there);
    Evaluation at = objective_.evaluate(there, trial_, extras);
    return {std::move(there), std::move(at)};
  }
  /// Goes where it looked last.
  void move(Trial trial) {
    point_ = std::move(trial.point);
    at_ = std::move(trial.at);
    std::swap(scores_, trial_);
  }

 private:
  Objective& objective_;
  Vector point_;
  Evaluation at_;
  ScoreSlot scores_{0};
  ScoreSlot trial_{1};
};

/// What solvers have in common: where they stand, and what they leave.
class StandingSolver : public Solver {
 public:
  const Vector& point() const final { return standing_.point(); }
  const Evaluation& at() const final { return standing_.at(); }
  double gap() const final { return state_.gap; }
  SolverState state() const final {
    SolverState state = state_;
    state.point = standing_.point();
    state.reads = objective_.reads();
    state.gram_passes = objective_.grams();
    return state;
  }

 protected:
  static constexpr ScoreSlot kSlopes{Standing::kSlots};  // of a direction

  /// extras: what is known at every point, curvature included.
  StandingSolver(Objective& objective, SolverState from, EvaluationExtras extras)
      : objective_(objective), standing_(objective, from.point, extras), state_(std::move(from)) {
    if (state_.reads > 0) objective_.start_counting(state_.reads, state_.gram_passes);
    if (!(state_.gap < INFINITY)) state_.gap = bound();
  }

  double bound() const {
    return gap_bound(standing_.at(), standing_.point(), objective_.penalties());
  }
  /// The Gram matrix that the state was left with, if any: no pass of the training's.
  std::optional<Triangle> gram_again() {
    if (state_.hessian_point.empty()) return std::nullopt;
    objective_.evaluate(state_.hessian_point, kSlopes, {});
    std::optional<Triangle> matrix = objective_.gram(kSlopes);
    objective_.start_counting(state_.reads, state_.gram_passes);
    return matrix;
  }
  Triangle gram_here() {
    state_.hessian_point = standing_.point();
    return objective_.gram(standing_.scores());
  }
  /// From the point along a direction whose scores are in kSlopes.
  Line line(const Vector& direction) {
    return {.point = standing_.point(),
            .direction = direction,
            .scores = standing_.scores(),
            .slopes = kSlopes,
            .largest_slope = objective_.largest_score(kSlopes)};
  }

  Objective& objective_;
  Standing standing_;
  SolverState state_;  // but for its point and counters
};

}  // namespace ossau
