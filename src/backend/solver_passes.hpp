#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "arith/gram.hpp"
#include "arith/solver_sums.hpp"

namespace ossau {

// What solvers ask of the rows: exact passes, whose sums are integers that ranks add.
// docs/arithmetic.md, "What solvers add up", has every formula and shows why nothing overflows.

/// What scores rows: weights in the columns' stored scale, fl32(w_j 2^e_j), and the intercept.
/// A direction is scored alike.
struct ScoringPoint {
  std::span<const float> weights;  // [d]
  float intercept = 0;
};

/// A place for a float32 score of every row that is here: 0, 1, ... of those reserved.
enum class ScoreSlot : std::uint32_t {};

/// Loss and gradient at a point, and what else the same read of the rows may add up.
struct FusedPass {
  ScoringPoint point;
  ScoreSlot to{};          // gets the rows' scores z
  bool curvature = false;  // a further run: X'(cD); intercept: sum of cD
  bool diagonal = false;   // a further run, the last: sums of cD x^2; intercept: sum of cD
  int fixed_bits = 0;

  std::size_t runs() const {
    return 1 + static_cast<std::size_t>(curvature) + static_cast<std::size_t>(diagonal);
  }
};

/// The Hessian of the loss times a direction p: X'(cD q), q = X p 2^-exponent.
struct HessianPass {
  ScoringPoint direction;
  ScoreSlot at{};    // scores at which D is taken
  ScoreSlot to{};    // another slot: gets X p
  int exponent = 0;  // in [-126, 126], with |cD X p| <= 2^exponent for every row
  int fixed_bits = 0;
};

/// Loss and derivatives at the scores z + t dz, rounded once, for some t; rows are not read.
struct LinePass {
  ScoreSlot from{};                // z
  ScoreSlot along{};               // dz
  std::span<const float> steps{};  // t, at most kMostLineSteps
  int exponent = 0;                // in [-126, 126], with |dz| <= 2^exponent for every row
  int fixed_bits = 0;
};

/// Layout of a Gram matrix of d features and the intercept, which comes last: its upper triangle,
/// row by row.
struct GramLayout {
  std::size_t features = 0;  // d

  std::size_t columns() const { return features + 1; }
  std::size_t size() const { return columns() * (columns() + 1) / 2; }
  /// Where row i begins, at its diagonal; row i has columns() - i numbers.
  std::size_t row(std::size_t i) const { return triangle_row(columns(), i); }
};

/// Passes for solvers over the training rows that are here, whole tiles: the optional part of a
/// backend (Backend::solver_passes()).  Knows no ranks and no penalties.
///
/// r = +-sigmoid, D = e / (1 + e)^2 are a row's residual and curvature without its weight c.
/// Scores that are not finite (z, q and z + t dz) are taken as 0 and counted in `not_finite`, each
/// for itself, q along a line for every t; slots keep them as they are.
/// fixed_bits: see fixed_point_bits(), for all rows of all ranks.
/// Sums are in host memory, may be changed there, and hold until the next pass.
/// Every implementation gives the same bits.  Calls throw DeviceError.
class SolverPasses {
 public:
  virtual ~SolverPasses() = default;

  /// Makes slots 0, ..., slots - 1, what slots held before being lost, and room for the sums of a
  /// fused pass of so many runs; passes of other sizes take theirs when they come.
  virtual void reserve(std::size_t slots, std::size_t runs) = 0;

  /// SolverSumLayout with pass.runs(): the gradient X'(c r) first.
  virtual std::span<std::int64_t> fused(const FusedPass& pass) = 0;
  /// SolverSumLayout with one run, of whose totals only `not_finite` is used.
  virtual std::span<std::int64_t> hessian_times(const HessianPass& pass) = 0;
  /// [steps, LineSumLayout::kNumbers].
  virtual std::span<std::int64_t> line(const LinePass& pass) = 0;
  /// GramLayout: the sums of q_i q_j over the rows, q = gram_entry(gram_root(c D), x), D taken at
  /// the scores in `at`; see arith/gram.hpp.
  virtual std::span<std::int64_t> gram(ScoreSlot at) = 0;

  // Slot arithmetic, each element by one rounding.
  /// y <- a x + y
  virtual void add_scaled(float a, ScoreSlot x, ScoreSlot y) = 0;
  /// to <- x - y
  virtual void subtract(ScoreSlot x, ScoreSlot y, ScoreSlot to) = 0;
  virtual void copy(ScoreSlot from, ScoreSlot to) = 0;
  /// The largest |x| of the rows that are here, infinite where one is not finite; 0 without rows.
  virtual float largest(ScoreSlot x) = 0;

  /// Copies a slot, [tiles, 64]; those of absent rows are undefined.
  virtual void get_scores(ScoreSlot from, std::span<float> scores) const = 0;
};

}  // namespace ossau
