#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "solve/certificate.hpp"
#include "solve/gram_lbfgs.hpp"
#include "solve/newton_cg.hpp"
#include "solve/orthant_newton.hpp"
#include "solve/proximal_newton.hpp"

namespace ossau::test {

// Solvers that go on until what they know of the gap is what was wanted.

/// A solver by its name.
struct SolverKind {
  std::string name;
  std::unique_ptr<Solver> (*make)(Objective& objective, SolverState from);
};

inline std::vector<SolverKind> solver_kinds() {
  return {{"gram_lbfgs",
           [](Objective& objective, SolverState from) {
             return make_gram_lbfgs(objective, std::move(from), {});
           }},
          {"newton_cg",
           [](Objective& objective, SolverState from) {
             return make_newton_cg(objective, std::move(from), {});
           }},
          // Most of its products must be given up.
          {"newton_cg_of_two_pairs", [](Objective& objective, SolverState from) {
             return make_newton_cg(objective, std::move(from), {.memory = 2});
           }}};
}

/// Those for an L1 penalty.
inline std::vector<SolverKind> l1_solver_kinds() {
  return {{"proximal_newton",
           [](Objective& objective, SolverState from) {
             return make_proximal_newton(objective, std::move(from), {});
           }},
          {"orthant_newton", [](Objective& objective, SolverState from) {
             return make_orthant_newton(objective, std::move(from), {});
           }}};
}

/// What a solver has come to; equal where every bit and every count is.
struct Solved {
  Vector point;
  double value = 0;
  double gap = 0;    // as a share of the value
  bool more = true;  // false: no step led further
  int iterations = 0;
  std::int64_t reads = 0;
  std::int64_t grams = 0;

  bool operator==(const Solved&) const = default;
};

/// Goes on until the gap is at most `wanted`, as a share of the value, or no step leads further.
/// after(solver): called after each iteration.
template <class After>
Solved solve(Objective& objective, Solver& solver, double wanted, int iterations,
             const After& after) {
  constexpr int kMost = 200;
  const auto gap = [&] { return relative_gap(solver.gap(), solver.at().value); };
  bool more = true;
  while (gap() > wanted && iterations < kMost) {
    more = solver.iterate(wanted * solver.at().value);
    if (!more) break;
    ++iterations;
    after(solver);
  }
  return {.point = solver.point(),
          .value = solver.at().value,
          .gap = gap(),
          .more = more,
          .iterations = iterations,
          .reads = objective.reads(),
          .grams = objective.grams()};
}

inline Solved solve_from(Objective& objective, const SolverKind& kind, Vector start,
                         double wanted) {
  SolverState state;
  state.point = std::move(start);
  const auto solver = kind.make(objective, std::move(state));
  return solve(objective, *solver, wanted, 0, [](const Solver&) {});
}

inline Solved solve_from_zero(Objective& objective, const SolverKind& kind, double wanted) {
  return solve_from(objective, kind, Vector(objective.size()), wanted);
}

}  // namespace ossau::test
