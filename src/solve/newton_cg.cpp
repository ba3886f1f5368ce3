#include "solve/newton_cg.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "solve/certificate.hpp"
#include "solve/line_search.hpp"
#include "solve/newton_step.hpp"
#include "solve/standing.hpp"

namespace ossau {
namespace {

constexpr EvaluationExtras kExtras{.curvature = true, .diagonal = true};

// How small the residual must become: a share of the gradient that shrinks with it.
constexpr double kLargestForcing = 0.5;

// Where the step would lower the value by so many goals or less it may be the last one: then it is
// made so well that the bound behind it is within the goal too.
constexpr double kLastStep = 10;
constexpr double kLastStepBound = 0.3;

constexpr double kLeftSlope = 0.9;  // of a searched step

class NewtonCg final : public StandingSolver {
 public:
  NewtonCg(Objective& objective, SolverState from, const NewtonCgOptions& options)
      : StandingSolver(objective, std::move(from), kExtras), options_(options) {}

  bool iterate(double goal) override {
    if (step(goal)) return true;
    if (state_.pairs.empty()) return false;
    state_.pairs.clear();
    return step(goal);
  }

 private:
  bool step(double goal) {
    const Orthant everywhere(standing_.point(), standing_.at().gradient, 0);
    NewtonStep found =
        find_newton_step(objective_, standing_, everywhere, state_.pairs, options_.memory,
                         [&](const Progress& progress) { return is_enough(progress, goal); });
    const double slope = dot(standing_.at().gradient, found.step);
    if (!(slope < 0)) return false;
    keep_pairs(std::move(found.products));
    const double t = search(objective_, line(found.step), slope, 1);
    Standing::Trial there = standing_.look(found.step, t, kExtras);
    const double left = dot(there.at.gradient, found.step);
    if (!there.at.finite || !(std::fabs(left) <= kLeftSlope * std::fabs(slope))) return false;
    standing_.move(std::move(there));
    state_.gap = objective_.penalties().l2 > 0 ? bound() : -slope;
    return true;
  }

  // As many as may be kept, evenly spread.
  void keep_pairs(std::vector<StepPair> products) {
    if (products.size() < 2 && !state_.pairs.empty()) return;
    const std::size_t kept = std::min(options_.memory, products.size());
    state_.pairs.clear();
    for (std::size_t k = 0; k < kept; ++k) {
      const std::size_t i = kept == 1 ? 0 : k * (products.size() - 1) / (kept - 1);
      state_.pairs.push_back(std::move(products[i]));
    }
  }

  // Whether a step may end here: a last one must bring the bound home as well.
  bool is_enough(const Progress& progress, double goal) {
    if (state_.first_gradient == 0) state_.first_gradient = progress.first_size;
    const double forcing =
        std::fmin(kLargestForcing, std::sqrt(progress.first_size / state_.first_gradient));
    if (progress.size > forcing * progress.first_size) return false;
    const Vector& step = progress.found.step;
    const double gain = (dot(progress.residual, step) - dot(standing_.at().gradient, step)) / 2;
    if (gain > kLastStep * goal || !(objective_.penalties().l2 > 0)) return true;
    Evaluation behind = standing_.at();  // as far as the Hessian knows
    for (std::size_t j = 0; j < step.size(); ++j) behind.gradient[j] = -progress.residual[j];
    Vector point = standing_.point();
    axpy(1, step, point);
    return gap_bound(behind, point, objective_.penalties()) <= kLastStepBound * goal;
  }

  NewtonCgOptions options_;
};

}  // namespace

std::unique_ptr<Solver> make_newton_cg(Objective& objective, SolverState from,
                                       const NewtonCgOptions& options) {
  return std::make_unique<NewtonCg>(objective, std::move(from), options);
}

}  // namespace ossau
