#include "solve/proximal_newton.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "solve/certificate.hpp"
#include "solve/l1_quadratic.hpp"
#include "solve/standing.hpp"

namespace ossau {
namespace {

constexpr EvaluationExtras kExtras{.curvature = true};

// A whole step is taken where the slope behind it rises by less than this share of its size.
constexpr double kRise = 0.3;
constexpr int kHalvings = 40;
constexpr int kSearchRounds = 8;
constexpr std::size_t kSearchSteps = 7;  // of a round

// How far a row may move for a proof (gap_bound).
constexpr float kProvableMove = 0.5F;

// A Gram matrix that costs more reads than this is kept while each step lowers what is left to a
// tenth.
constexpr double kDearGram = 10;
constexpr double kGoodStep = 0.1;

// Where the plain bound is within so many goals, one more read may prove a better one.
constexpr double kWorthProving = 1e4;

class ProximalNewton final : public StandingSolver {
 public:
  ProximalNewton(Objective& objective, SolverState from, const ProximalNewtonOptions& options)
      : StandingSolver(objective, std::move(from), kExtras),
        options_(options),
        hessian_(gram_again()) {}

  bool iterate(double goal) override {
    const bool kept = hessian_.has_value();
    if (!kept || wants_gram()) take_gram();
    if (step(goal)) return true;
    if (!kept || state_.bounds.empty()) return false;
    take_gram();
    return step(goal);
  }

 private:
  double l1() const { return objective_.penalties().l1; }

  void take_gram() {
    hessian_.emplace(gram_here());
    state_.bounds.clear();
  }

  // bounds: what steps since the last Gram matrix promised to gain.
  bool wants_gram() const {
    const std::vector<double>& gains = state_.bounds;
    if (gains.empty()) return false;
    if (options_.gram_reads <= kDearGram) return true;
    return gains.size() >= 2 && gains.back() > kGoodStep * gains[gains.size() - 2];
  }

  // The penalty's slope at point + t direction, against which it would move.
  double penalty_slope(const Vector& along, double t) const {
    const Vector& point = standing_.point();
    return l1() * feature_sum(static_cast<std::int64_t>(point.size() - 1), [&](std::int64_t k) {
             const auto j = static_cast<std::size_t>(k);
             const double there = point[j] + t * along[j];
             return there == 0 ? std::fabs(along[j]) * (t == 0 ? 1 : -1)
                               : std::copysign(along[j], there * along[j]);
           });
  }

  bool step(double goal) {
    const Vector along =
        minimize_l1_quadratic(*hessian_, standing_.at().gradient, standing_.point(), l1());
    const double slope = dot(standing_.at().gradient, along) + penalty_slope(along, 0);
    if (!(slope < 0)) return prove(along, goal);
    Standing::Trial whole = standing_.look(along, 1, kExtras);
    if (whole.at.finite &&
        dot(whole.at.gradient, along) + penalty_slope(along, 1) <= -kRise * slope) {
      return take(std::move(whole), slope, goal);
    }
    const double t = whole.at.finite ? searched(along, slope) : 0.5;
    return take_shorter(along, t, slope, goal);
  }

  // A step along kept scores whose slope is about 0: those of the whole step have just been taken.
  double searched(const Vector& along, double slope) {
    objective_.subtract_scores(standing_.looked_at(), standing_.scores(), kSlopes);
    const Line way = line(along);
    double low = 0;
    double high = 1;
    for (int round = 0; round < kSearchRounds; ++round) {
      std::array<float, kSearchSteps> steps{};
      for (std::size_t k = 0; k < steps.size(); ++k) {
        steps[k] = static_cast<float>(low + (high - low) * static_cast<double>(k + 1) /
                                                (kSearchSteps + 1));
      }
      const auto at = objective_.derivatives(way, steps);
      for (std::size_t k = 0; k < steps.size(); ++k) {
        const auto t = static_cast<double>(steps[k]);
        const double there = at[k].first + penalty_slope(along, t);
        if (std::fabs(there) <= -kRise * slope) return t;
        if (there > 0) {
          high = t;
          break;
        }
        low = t;
      }
    }
    return low;
  }

  bool take_shorter(const Vector& along, double t, double slope, double goal) {
    for (int i = 0; i < kHalvings && t > 0; ++i, t /= 2) {
      Standing::Trial there = standing_.look(along, t, kExtras);
      const double left = dot(there.at.gradient, along) + penalty_slope(along, t);
      if (there.at.finite && left <= -slope) return take(std::move(there), slope, goal);
    }
    return false;
  }

  bool take(Standing::Trial there, double slope, double goal) {
    standing_.move(std::move(there));
    state_.bounds.push_back(-slope);
    state_.gap = bound();
    if (state_.gap > goal && state_.gap <= kWorthProving * goal) {
      prove(minimize_l1_quadratic(*hessian_, standing_.at().gradient, standing_.point(), l1()),
            goal);
    }
    return true;
  }

  // Whether a step that is not taken proves that this is near enough.
  bool prove(const Vector& along, double goal) {
    const Vector step = objective_.rounded(along);
    Vector product = objective_.hessian_times(step, standing_.scores(), kSlopes);
    if (product.empty() || !(objective_.largest_score(kSlopes) <= kProvableMove)) return false;
    for (std::size_t j = 0; j + 1 < step.size(); ++j) {
      product[j] -= objective_.penalties().l2 * step[j];
    }
    const double proved = gap_bound(standing_.at(), standing_.point(), objective_.penalties(),
                                    product, dot(step, product));
    if (!(proved < state_.gap)) return false;
    state_.gap = proved;
    return proved <= goal;
  }

  ProximalNewtonOptions options_;
  std::optional<Triangle> hessian_;
};

}  // namespace

std::unique_ptr<Solver> make_proximal_newton(Objective& objective, SolverState from,
                                             const ProximalNewtonOptions& options) {
  return std::make_unique<ProximalNewton>(objective, std::move(from), options);
}

}  // namespace ossau
