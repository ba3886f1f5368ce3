#include "solve/newton_cg.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "solve/certificate.hpp"
#include "solve/line_search.hpp"
#include "solve/standing.hpp"

namespace ossau {
namespace {

constexpr ScoreSlot kProducts{Standing::kSlots + 1};  // X q of one product
constexpr EvaluationExtras kExtras{.curvature = true, .diagonal = true};

// How small the residual must become: a share of the gradient that shrinks with it.
constexpr double kLargestForcing = 0.5;
constexpr int kMostProducts = 300;

// Where the step would lower the value by so many goals or less it may be the last one: then it is
// made so well that the bound behind it is within the goal too.
constexpr double kLastStep = 10;
constexpr double kLastStepBound = 0.3;

constexpr double kLeftSlope = 0.9;  // of a searched step

// What conjugate gradients have found.
struct NewtonStep {
  Vector step;      // d; X d is in kSlopes
  Vector residual;  // r = -g - H d
  std::vector<StepPair> products = {};
  int stride = 1;  // between those that are kept
};

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
  // x <- about the inverse Hessian times x.
  void precondition(Vector& x) const {
    const Vector& diagonal = standing_.at().diagonal;
    const auto base = [&](Vector& v) {
      for (std::size_t j = 0; j < v.size(); ++j) {
        if (diagonal[j] > 0) v[j] /= diagonal[j];  // else no row has the feature
      }
    };
    apply_pairs(state_.pairs, base, x);
  }

  bool step(double goal) {
    NewtonStep found = conjugate_gradients(goal);
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

  // Every product at first, then every second, every fourth ...
  void note_product(int number, Vector q, Vector product, NewtonStep& found) const {
    if (options_.memory == 0 || number % found.stride != 0) return;
    if (found.products.size() == 2 * options_.memory) {
      for (std::size_t i = 1; i < options_.memory; ++i) {
        found.products[i] = std::move(found.products[2 * i]);
      }
      found.products.resize(options_.memory);
      found.stride *= 2;
      if (number % found.stride != 0) return;
    }
    found.products.push_back({std::move(q), std::move(product)});
  }

  NewtonStep conjugate_gradients(double goal) {
    const Vector& gradient = standing_.at().gradient;
    NewtonStep found{.step = Vector(gradient.size()), .residual = gradient};
    for (double& each : found.residual) each = -each;
    Vector scaled = found.residual;
    precondition(scaled);
    double size = dot(found.residual, scaled);
    const double first = std::sqrt(size);
    if (state_.first_gradient == 0) state_.first_gradient = first;
    const double forcing = std::fmin(kLargestForcing, std::sqrt(first / state_.first_gradient));
    objective_.clear_scores(standing_.scores(), kSlopes);
    Vector along = scaled;
    for (int k = 0; k < kMostProducts && size > 0; ++k) {
      Vector q = objective_.rounded(along);
      Vector product = objective_.hessian_times(q, standing_.scores(), kProducts);
      if (product.empty()) break;
      const double bend = dot(q, product);
      if (!(bend > 0)) break;
      const double length = dot(found.residual, q) / bend;
      axpy(length, q, found.step);
      axpy(-length, product, found.residual);
      objective_.add_scores(length, kProducts, kSlopes);
      note_product(k, std::move(q), std::move(product), found);
      scaled = found.residual;
      precondition(scaled);
      const double next = dot(found.residual, scaled);
      if (std::sqrt(next) <= forcing * first && is_good(found, goal)) break;
      for (std::size_t j = 0; j < along.size(); ++j) along[j] = scaled[j] + next / size * along[j];
      size = next;
    }
    return found;
  }

  // Whether a step may end here: a last one must bring the bound home as well.
  bool is_good(const NewtonStep& found, double goal) const {
    const double gain =
        (dot(found.residual, found.step) - dot(standing_.at().gradient, found.step)) / 2;
    if (gain > kLastStep * goal || !(objective_.penalties().l2 > 0)) return true;
    Evaluation behind = standing_.at();  // as far as the Hessian knows
    for (std::size_t j = 0; j < found.residual.size(); ++j) behind.gradient[j] = -found.residual[j];
    Vector point = standing_.point();
    axpy(1, found.step, point);
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
