#include "solve/orthant_newton.hpp"

#include <cmath>
#include <cstddef>
#include <utility>

#include "solve/certificate.hpp"
#include "solve/newton_step.hpp"
#include "solve/standing.hpp"

namespace ossau {
namespace {

constexpr EvaluationExtras kExtras{.curvature = true, .diagonal = true};

// A step is taken where the slope behind it rises by less than this share of its size, else a half
// of it is tried.
constexpr double kRise = 0.3;
constexpr int kHalvings = 40;
constexpr int kClippedTrials = 6;  // halvings that may stop weights at 0

// Weights have settled where so many steps in a row changed one in fifty of those that are not 0 or
// fewer to or from 0.
constexpr std::int64_t kSettledSteps = 2;
constexpr std::size_t kSettledShare = 50;

// A Newton step ends where its residual is this share of the slopes; the last one, which brings the
// value down by so many goals or less, where it proves a share of the goal, or where the residual
// is so small that weights outside of the step must be in the way.
constexpr double kForcing = 0.1;
constexpr double kLastStep = 100;
constexpr double kLastStepBound = 0.5;
constexpr double kLeastForcing = 1e-5;
// Products of a Newton step for each step that weights have settled.
constexpr std::int64_t kProductsOfStep = 8;
// How far a row may move for a proof (gap_bound).
constexpr float kProvableMove = 0.5F;

class OrthantNewton final : public StandingSolver {
 public:
  OrthantNewton(Objective& objective, SolverState from, const OrthantNewtonOptions& options)
      : StandingSolver(objective, std::move(from), kExtras), options_(options) {}

  bool iterate(double goal) override {
    if (state_.settled >= kSettledSteps) {
      if (newton_step(goal)) return true;
      state_.settled = 0;
    }
    if (quasi_newton_step()) return true;
    if (state_.pairs.empty()) return false;
    state_.pairs.clear();
    return quasi_newton_step();
  }

 private:
  Orthant orthant() const {
    return {standing_.point(), standing_.at().gradient, objective_.penalties().l1};
  }

  bool quasi_newton_step() {
    const Orthant orthant = this->orthant();
    Vector along = orthant.slopes();
    apply_pairs(
        state_.pairs, [&](Vector& v) { base(v); }, along);
    orthant.hold(along);
    for (std::size_t j = 0; j < along.size(); ++j) {
      // Only ways down; a weight of 0 would be on the wrong side otherwise.
      along[j] = along[j] * orthant.slopes()[j] > 0 ? -along[j] : 0.0;
    }
    return take(orthant, along);
  }

  // The inverse of the Hessian's diagonal, scaled as the last pair shows.
  void base(Vector& x) const {
    const Vector& diagonal = standing_.at().diagonal;
    divide_by_diagonal(diagonal, x);
    if (state_.pairs.empty()) return;
    const StepPair& last = state_.pairs.back();
    Vector scaled = last.change;
    divide_by_diagonal(diagonal, scaled);
    const double scale = dot(last.step, last.change) / dot(last.change, scaled);
    for (double& each : x) each *= scale;
  }

  bool newton_step(double goal) {
    const Orthant orthant = this->orthant();
    const NewtonStep found = find_newton_step(
        objective_, standing_, orthant, {}, 0,
        [&](const Progress& progress) { return is_enough(progress, orthant, goal); });
    if (!(dot(orthant.slopes(), found.step) < 0)) return false;
    return prove(found, goal) || take(orthant, found.step);
  }

  bool is_enough(const Progress& progress, const Orthant& orthant, double goal) const {
    if (progress.products >= kProductsOfStep * state_.settled) return true;
    if (progress.size > kForcing * progress.first_size) return false;
    const NewtonStep& found = progress.found;
    const double gain =
        (dot(progress.residual, found.step) - dot(orthant.slopes(), found.step)) / 2;
    if (gain > kLastStep * goal || progress.size <= kLeastForcing * progress.first_size)
      return true;
    return proved_by(found) <= kLastStepBound * goal;
  }

  double proved_by(const NewtonStep& found) const {
    Vector product = found.product;
    for (std::size_t j = 0; j + 1 < product.size(); ++j) {
      product[j] -= objective_.penalties().l2 * found.step[j];
    }
    return gap_bound(standing_.at(), standing_.point(), objective_.penalties(), product,
                     dot(found.step, product));
  }

  // Whether the step proves without being taken that this is near enough.
  bool prove(const NewtonStep& found, double goal) {
    if (!(objective_.largest_score(kSlopes) <= kProvableMove)) return false;
    state_.gap = std::fmin(state_.gap, proved_by(found));
    return state_.gap <= goal;
  }

  // The whole step within the orthant or half of it.  Else as much as keeps every sign: among
  // nearly collinear weights one that stops at 0 while the others go on spoils the step.
  bool take(const Orthant& orthant, const Vector& step) {
    double t = 1;
    for (int i = 0; i < kHalvings; ++i, t /= 2) {
      if (i == kClippedTrials) t = std::fmin(t, orthant.room(Vector(step.size()), step));
      const Vector along = orthant.clipped(step, t);
      const double slope = dot(orthant.slopes(), along);
      if (!(slope < 0)) continue;
      Standing::Trial there = standing_.look(along, 1, kExtras);
      const double left = dot(there.at.gradient, along) + orthant.penalty_change(along);
      if (!there.at.finite || !(left <= -kRise * slope)) continue;
      note(there);
      standing_.move(std::move(there));
      state_.gap = bound();
      return true;
    }
    return false;
  }

  // Remembers a step that is about to be taken.
  void note(const Standing::Trial& there) {
    const Vector& here = standing_.point();
    std::size_t not_zero = 0;
    std::size_t changed = 0;
    for (std::size_t j = 0; j + 1 < here.size(); ++j) {
      not_zero += static_cast<std::size_t>(there.point[j] != 0);
      changed += static_cast<std::size_t>((there.point[j] != 0) != (here[j] != 0));
    }
    state_.settled = changed * kSettledShare <= not_zero ? state_.settled + 1 : 0;
    StepPair pair{.step = difference(there.point, here),
                  .change = difference(there.at.gradient, standing_.at().gradient)};
    if (!(dot(pair.step, pair.change) > 0)) return;
    if (state_.pairs.size() == options_.memory) state_.pairs.erase(state_.pairs.begin());
    state_.pairs.push_back(std::move(pair));
  }

  OrthantNewtonOptions options_;
};

}  // namespace

std::unique_ptr<Solver> make_orthant_newton(Objective& objective, SolverState from,
                                            const OrthantNewtonOptions& options) {
  return std::make_unique<OrthantNewton>(objective, std::move(from), options);
}

}  // namespace ossau
