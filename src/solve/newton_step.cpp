#include "solve/newton_step.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ossau {
namespace {

constexpr ScoreSlot kSlopes{Standing::kSlots};        // X d
constexpr ScoreSlot kProducts{Standing::kSlots + 1};  // X q of one product

constexpr int kMostProducts = 300;

// Where the value bends by so small a share of what features that have nothing in common would
// bend by, an L1 penalty decides: its slope goes on until a weight is 0.
constexpr double kFlat = 1e-6;

// x <- about the inverse Hessian times x, of what may move.
void precondition(const Standing& standing, const Orthant& orthant,
                  const std::vector<StepPair>& pairs, Vector& x) {
  apply_pairs(
      pairs, [&](Vector& v) { divide_by_diagonal(standing.at().diagonal, v); }, x);
  orthant.hold(x);
}

// How the value bends along q as far as the diagonal knows.
double bend_of_diagonal(const Vector& diagonal, const Vector& q) {
  return feature_sum(static_cast<std::int64_t>(q.size()), [&](std::int64_t k) {
    const auto j = static_cast<std::size_t>(k);
    return diagonal[j] * q[j] * q[j];
  });
}

// Every product at first, then every second, every fourth ...
void note_product(int number, std::size_t memory, Vector q, Vector product, NewtonStep& found) {
  if (memory == 0 || number % found.stride != 0) return;
  if (found.products.size() == 2 * memory) {
    for (std::size_t i = 1; i < memory; ++i) {
      found.products[i] = std::move(found.products[2 * i]);
    }
    found.products.resize(memory);
    found.stride *= 2;
    if (number % found.stride != 0) return;
  }
  found.products.push_back({std::move(q), std::move(product)});
}

}  // namespace

NewtonStep find_newton_step(Objective& objective, const Standing& standing, const Orthant& orthant,
                            const std::vector<StepPair>& pairs, std::size_t memory,
                            const std::function<bool(const Progress&)>& is_enough) {
  const std::size_t n = orthant.slopes().size();
  NewtonStep found{.step = Vector(n), .product = Vector(n)};
  Vector residual = orthant.slopes();
  for (double& each : residual) each = -each;
  Vector scaled = residual;
  precondition(standing, orthant, pairs, scaled);
  double size = dot(residual, scaled);
  const double first_size = std::sqrt(size);
  objective.clear_scores(standing.scores(), kSlopes);
  Vector along = scaled;
  for (int k = 0; k < kMostProducts && size > 0; ++k) {
    Vector q = objective.rounded(along);
    Vector product = objective.hessian_times(q, standing.scores(), kProducts);
    if (product.empty()) break;
    const double bend = dot(q, product);
    if (!(bend > 0)) break;
    double length = dot(residual, q) / bend;
    const double room = orthant.room(found.step, q);
    const bool ends = length > room && bend <= kFlat * bend_of_diagonal(standing.at().diagonal, q);
    if (ends) length = room;
    axpy(length, q, found.step);
    axpy(length, product, found.product);
    objective.add_scores(length, kProducts, kSlopes);
    if (ends) break;
    orthant.hold(product);
    axpy(-length, product, residual);
    note_product(k, memory, std::move(q), std::move(product), found);
    scaled = residual;
    precondition(standing, orthant, pairs, scaled);
    const double next = dot(residual, scaled);
    if (is_enough({.found = found,
                   .residual = residual,
                   .products = k + 1,
                   .size = std::sqrt(next),
                   .first_size = first_size})) {
      break;
    }
    for (std::size_t j = 0; j < along.size(); ++j) along[j] = scaled[j] + next / size * along[j];
    size = next;
  }
  return found;
}

}  // namespace ossau
