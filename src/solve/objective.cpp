#include "solve/objective.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "arith/bits.hpp"
#include "arith/fixed_point.hpp"
#include "arith/gram.hpp"
#include "arith/update.hpp"
#include "data/statistics.hpp"

namespace ossau {
namespace {

// Above every rounding of a score, see docs/arithmetic.md.
constexpr double kRoundingRoom = 1.001;

// Beyond this 2^-exponent is no normal float32.
constexpr int kLargestExponent = 126;

double sum_of_sizes(std::span<const double> x) {
  return feature_sum(static_cast<std::int64_t>(x.size()),
                     [&](std::int64_t j) { return std::fabs(x[static_cast<std::size_t>(j)]); });
}

}  // namespace

Objective::Objective(SolverPasses& passes, Communicator& communicator, ObjectiveSetup setup)
    : passes_(passes),
      communicator_(communicator),
      setup_(std::move(setup)),
      row_bound_(
          2 * std::sqrt(setup_.lipschitz * setup_.total_weight / static_cast<double>(setup_.rows))),
      fixed_bits_(fixed_point_bits(setup_.rows)),
      factor_(power_of_two(-fixed_bits_) / setup_.total_weight),
      scoring_(setup_.exponent_power.size()) {}

Vector Objective::rounded(std::span<const double> weights) const {
  Vector result(size());
  for (std::size_t j = 0; j + 1 < size(); ++j) {
    const double power = setup_.exponent_power[j];
    result[j] = static_cast<double>(scoring_weight(weights[j], power)) / power;
  }
  result.back() = setup_.intercept ? static_cast<double>(scoring_weight(weights.back(), 1)) : 0.0;
  return result;
}

ScoringPoint Objective::score_with(std::span<const double> weights) {
  for (std::size_t j = 0; j < scoring_.size(); ++j) {
    scoring_[j] = scoring_weight(weights[j], setup_.exponent_power[j]);
  }
  return {.weights = scoring_, .intercept = static_cast<float>(weights.back())};
}

void Objective::add_over_ranks(std::span<std::int64_t> sums, std::string_view operation) {
  all_reduce(communicator_, sums, Reduction::kSum, operation);
}

// A run of sums as means in units of features.
Vector Objective::mean(std::span<const std::int64_t> run, double factor, bool squared) const {
  Vector result(size());
  for (std::size_t j = 0; j < size(); ++j) {
    const double power = j + 1 < size() ? setup_.exponent_power[j] : 1.0;
    result[j] = mean_gradient(run[j], factor, squared ? power * power : power);
  }
  if (!setup_.intercept) result.back() = 0;
  return result;
}

void Objective::add_penalty(std::span<const double> weights, Vector& gradient) const {
  for (std::size_t j = 0; j + 1 < size(); ++j) gradient[j] += setup_.penalties.l2 * weights[j];
}

// Whether coefficients up to `bound` can be scaled to at most 1.
bool Objective::scale_exponent(double bound, int& exponent) const {
  if (!(bound <= power_of_two(kLargestExponent) / kRoundingRoom)) return false;
  exponent = std::max(-kLargestExponent, ceil_exponent(kRoundingRoom * bound));
  return true;
}

Evaluation Objective::evaluate(std::span<const double> point, ScoreSlot to,
                               EvaluationExtras extras) {
  const FusedPass pass{.point = score_with(point),
                       .to = to,
                       .curvature = extras.curvature,
                       .diagonal = extras.diagonal,
                       .fixed_bits = fixed_bits_};
  const std::span<std::int64_t> sums = passes_.fused(pass);
  ++reads_;
  add_over_ranks(sums, "loss and gradient");
  const SolverSumLayout layout{.features = size() - 1, .runs = pass.runs()};
  const auto run = [&](std::size_t k) { return sums.subspan(layout.run(k), size()); };
  const std::span<const std::int64_t> totals = sums.subspan(layout.totals());
  const auto features = point.first(size() - 1);
  Evaluation result;
  result.loss = loss_value(totals[0], totals[1]) / setup_.total_weight;
  result.value = result.loss + setup_.penalties.l2 / 2 * dot(features, features) +
                 setup_.penalties.l1 * sum_of_sizes(features);
  result.finite = totals[2] == 0 && totals[3] == 0;
  result.gradient = mean(run(0), factor_, false);
  add_penalty(point, result.gradient);
  if (extras.curvature) result.curvature = mean(run(1), factor_, false);
  if (extras.diagonal) {
    result.diagonal = mean(run(pass.runs() - 1), factor_, true);
    for (std::size_t j = 0; j + 1 < size(); ++j) result.diagonal[j] += setup_.penalties.l2;
  }
  return result;
}

Vector Objective::hessian_times(std::span<const double> direction, ScoreSlot at, ScoreSlot to) {
  HessianPass pass{
      .direction = score_with(direction), .at = at, .to = to, .fixed_bits = fixed_bits_};
  if (!scale_exponent(row_bound_ * norm(direction) / 4, pass.exponent)) return {};
  const std::span<std::int64_t> sums = passes_.hessian_times(pass);
  ++reads_;
  add_over_ranks(sums, "Hessian product");
  const SolverSumLayout layout{.features = size() - 1};
  if (sums[layout.totals() + 2] != 0) return {};
  Vector product = mean(sums.first(size()), factor_ * power_of_two(pass.exponent), false);
  add_penalty(direction, product);
  return product;
}

double Objective::largest_score(ScoreSlot x) {
  // Floats from 0 on have the order of their bits.
  std::int64_t bits = bit_copy<std::uint32_t>(passes_.largest(x));
  all_reduce(communicator_, {&bits, 1}, Reduction::kMax, "largest score");
  return bit_copy<float>(static_cast<std::uint32_t>(bits));
}

Triangle Objective::gram(ScoreSlot at) {
  const std::span<std::int64_t> sums = passes_.gram(at);
  ++grams_;
  add_over_ranks(sums, "Gram matrix");
  const double factor = power_of_two(-2 * kGramBits) / setup_.total_weight;
  Triangle matrix(size());
  std::size_t k = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    const std::span<double> row = matrix.row(i);
    const double power = i + 1 < size() ? setup_.exponent_power[i] : 1.0;
    for (std::size_t j = i; j < size(); ++j, ++k) {
      const double other = j + 1 < size() ? setup_.exponent_power[j] : 1.0;
      row[j - i] = static_cast<double>(sums[k]) * factor * power * other;
    }
    if (i + 1 < size()) row[0] += setup_.penalties.l2;
    if (!setup_.intercept) row.back() = 0;
  }
  return matrix;
}

std::vector<LineDerivatives> Objective::derivatives(const Line& line,
                                                    std::span<const float> steps) {
  std::vector<LineDerivatives> result(steps.size());
  LinePass pass{
      .from = line.scores, .along = line.slopes, .steps = steps, .fixed_bits = fixed_bits_};
  if (!scale_exponent(line.largest_slope, pass.exponent)) {
    for (LineDerivatives& at : result) at.finite = false;
    return result;
  }
  const std::span<std::int64_t> sums = passes_.line(pass);
  add_over_ranks(sums, "line search");
  const auto features = line.direction.first(size() - 1);
  const double slope = setup_.penalties.l2 * dot(line.point.first(size() - 1), features);
  const double bend = setup_.penalties.l2 * dot(features, features);
  const double power = power_of_two(pass.exponent);
  for (std::size_t t = 0; t < steps.size(); ++t) {
    const auto mine = sums.subspan(t * LineSumLayout::kNumbers, LineSumLayout::kNumbers);
    result[t].first = mean_gradient(mine[LineSumLayout::kFirst], factor_, power) + slope +
                      static_cast<double>(steps[t]) * bend;
    result[t].second = mean_gradient(mine[LineSumLayout::kSecond], factor_ * power, power) + bend;
    result[t].finite = mine[2] == 0 && mine[3] == 0;
  }
  return result;
}

}  // namespace ossau
