#include "solve/gram_lbfgs.hpp"

#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "solve/cholesky.hpp"
#include "solve/line_search.hpp"
#include "solve/standing.hpp"

namespace ossau {
namespace {

// A whole step is taken where it leaves at most this share of the slope, one way or the other.
constexpr double kWholeStepSlope = 0.5;
// A searched step must have changed the slope, and not turned it round.
constexpr double kSearchedStepSlope = 0.9;
// Halvings of a step that leaves float32.
constexpr int kHalvings = 60;
// Reads that a step to a new Gram matrix costs beside it.
constexpr double kRefreshReads = 3;

// What the rounding of rows to 13 bits adds to a pivot is about 2^-21 of its diagonal: smaller ones
// say little of how the value bends there.
constexpr double kTrustedPivot = 0x1p-16;

constexpr EvaluationExtras kExtras{.curvature = true};

// log2 up to 0.09, the same on every processor.
double rough_log2(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  return exponent + 2 * mantissa - 2;
}

class GramLbfgs final : public StandingSolver {
 public:
  GramLbfgs(Objective& objective, SolverState from, const GramLbfgsOptions& options)
      : StandingSolver(objective, std::move(from), kExtras), options_(options) {
    if (const auto matrix = gram_again()) factor_.emplace(*matrix);
  }

  bool iterate(double goal) override {
    if (wants_gram(goal)) take_gram();
    if (step()) return true;
    // Once more with all that can be known here.
    if (state_.bounds.size() == 1) return false;
    take_gram();
    return step();
  }

  bool nearly_collinear() const override {
    return factor_ && (factor_->damping() > 0 || factor_->least_pivot() < kTrustedPivot);
  }

 private:
  void take_gram() {
    factor_.emplace(gram_here());
    state_.pairs.clear();
    state_.bounds.clear();
    note_gap();
  }

  void note_gap() {
    state_.gap = objective_.penalties().l2 > 0 ? bound() : decrement();
    state_.bounds.push_back(state_.gap);
  }

  // The least of the bound's rates of late tells how many reads are left.
  bool wants_gram(double goal) const {
    const std::vector<double>& bounds = state_.bounds;
    if (!factor_) return true;
    if (bounds.size() < 3 || !(bounds.back() > goal)) return false;
    const double now = rough_log2(bounds.back());
    const auto rate_since = [&](std::size_t steps) {
      return (rough_log2(bounds[bounds.size() - 1 - steps]) - now) / static_cast<double>(steps);
    };
    double rate = rate_since(bounds.size() - 1);
    const double late = rate_since(2);
    if (late > 0) rate = std::fmin(rate, late);
    if (std::isnan(rate)) return false;  // no bound, then and now
    return now - rough_log2(goal) > rate * (options_.gram_reads + kRefreshReads);
  }

  // The step that Newton's method would take if the factor were exact lowers the value by half of
  // this.
  double decrement() const {
    Vector step = standing_.at().gradient;
    factor_->solve(step);
    return dot(step, standing_.at().gradient);
  }

  Vector direction() const {
    Vector x = standing_.at().gradient;
    apply_pairs(
        state_.pairs, [&](Vector& v) { base(v); }, x);
    for (double& each : x) each = -each;
    return objective_.rounded(x);
  }

  // The factor, scaled as the last pair shows.
  void base(Vector& x) const {
    factor_->solve(x);
    if (state_.pairs.empty()) return;
    const StepPair& last = state_.pairs.back();
    Vector scaled = last.change;
    factor_->solve(scaled);
    const double scale = dot(last.step, last.change) / dot(last.change, scaled);
    for (double& each : x) each *= scale;
  }

  // Moves along one direction; false where nothing better is found.
  bool step() {
    const Vector along = direction();
    const double slope = dot(standing_.at().gradient, along);
    if (!(slope < 0)) return false;
    // Most often the whole step is right: it is taken on trial, in one read.
    if (accept(along, 1, slope, kWholeStepSlope)) return true;
    const Vector bent = objective_.hessian_times(along, standing_.scores(), kSlopes);
    if (bent.empty()) return halve(along, slope);
    const double t = search(objective_, line(along), slope, -slope / dot(along, bent));
    return accept(along, t, slope, kSearchedStepSlope);
  }

  // For directions whose scores are beyond float32.
  bool halve(const Vector& along, double slope) {
    double t = 0.5;
    for (int i = 0; i < kHalvings; ++i, t /= 2) {
      if (accept(along, t, slope, kSearchedStepSlope)) return true;
    }
    return false;
  }

  // Goes to point + t direction if the slope there is at most `share` of what it was, in size.
  bool accept(const Vector& along, double t, double slope, double share) {
    Standing::Trial there = standing_.look(along, t, kExtras);
    const double left = dot(there.at.gradient, along);
    if (!there.at.finite || !(std::fabs(left) <= share * std::fabs(slope))) return false;
    StepPair pair{.step = difference(there.point, standing_.point()),
                  .change = difference(there.at.gradient, standing_.at().gradient)};
    if (dot(pair.step, pair.change) > 0) {
      if (state_.pairs.size() == options_.memory) state_.pairs.erase(state_.pairs.begin());
      state_.pairs.push_back(std::move(pair));
    }
    standing_.move(std::move(there));
    note_gap();
    return true;
  }

  GramLbfgsOptions options_;
  std::optional<CholeskyFactor> factor_;
};

}  // namespace

std::unique_ptr<Solver> make_gram_lbfgs(Objective& objective, SolverState from,
                                        const GramLbfgsOptions& options) {
  return std::make_unique<GramLbfgs>(objective, std::move(from), options);
}

}  // namespace ossau
