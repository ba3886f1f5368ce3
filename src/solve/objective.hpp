#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "backend/solver_passes.hpp"
#include "comm/communicator.hpp"
#include "solve/vectors.hpp"

namespace ossau {

/// On every weight but the intercept: l1 |w|_1 + l2/2 |w|^2.
struct Penalties {
  double l1 = 0;
  double l2 = 0;
};

/// What is minimised: the mean log loss of all ranks' training rows and the penalties.
struct ObjectiveSetup {
  std::vector<double> exponent_power;  // [d]: 2^e_j, a stored feature is x_j 2^-e_j
  bool intercept = true;               // whether it may differ from 0
  Penalties penalties;
  std::int64_t rows = 0;    // n, of all ranks
  double total_weight = 0;  // W, of all ranks
  double lipschitz = 0;     // L of the mean loss alone, see PreparedData
};

/// The objective at a point; vectors in units of features, [d + 1].
struct Evaluation {
  double value = 0;
  double loss = 0;     // without the penalties
  Vector gradient;     // without that of l1
  Vector curvature;    // X'(cD) / W, if asked for
  Vector diagonal;     // of the Hessian, if asked for
  bool finite = true;  // no score was infinite or NaN, no loss clamped
};

/// Which of them are asked for.
struct EvaluationExtras {
  bool curvature = false;
  bool diagonal = false;
};

/// Derivatives at a point of a line.
struct LineDerivatives {
  double first = 0;
  double second = 0;
  bool finite = true;
};

/// A line through a point whose scores are kept.
struct Line {
  std::span<const double> point;      // [d + 1]
  std::span<const double> direction;  // [d + 1]
  ScoreSlot scores{};                 // of the point
  ScoreSlot slopes{};                 // of the direction, as they are
  double largest_slope = 0;           // their largest_score()
};

/// The objective of all ranks in float64, out of the backends' exact sums: every rank gets the same
/// bits.  Each call is collective and costs one all-reduce.  Points and directions must be as
/// rounded() gives them.  Throws DeviceError and CommError.
class Objective {
 public:
  Objective(SolverPasses& passes, Communicator& communicator, ObjectiveSetup setup);

  std::size_t size() const { return setup_.exponent_power.size() + 1; }

  /// The nearest vector that scores rows exactly as it is: fl32(w 2^e) 2^-e, and without an
  /// intercept 0 in its place.
  Vector rounded(std::span<const double> weights) const;

  /// Makes slots 0, ..., slots - 1 for scores, and room for the sums of evaluate() with these
  /// extras.
  void reserve(std::size_t slots, EvaluationExtras extras) {
    passes_.reserve(
        slots,
        FusedPass{.point = {}, .curvature = extras.curvature, .diagonal = extras.diagonal}.runs());
  }

  /// One read of the rows; their scores go to `to`.
  Evaluation evaluate(std::span<const double> point, ScoreSlot to, EvaluationExtras extras);
  /// The Hessian at the point whose scores are in `at` times a direction, whose scores go to `to`.
  /// One read.  Empty where a score was not finite.
  Vector hessian_times(std::span<const double> direction, ScoreSlot at, ScoreSlot to);
  /// The Hessian at the point whose scores are in `at`, up to the rounding of its rows to 13 bits
  /// (arith/gram.hpp).  Counted apart from reads.
  Triangle gram(ScoreSlot at);
  /// Derivatives by t at point + t direction, up to kMostLineSteps of them.  No read.
  std::vector<LineDerivatives> derivatives(const Line& line, std::span<const float> steps);

  /// to <- 0, where the scores in `finite` are finite
  void clear_scores(ScoreSlot finite, ScoreSlot to) { passes_.subtract(finite, finite, to); }
  /// to <- a x + to
  void add_scores(double a, ScoreSlot x, ScoreSlot to) {
    passes_.add_scaled(static_cast<float>(a), x, to);
  }

  /// to <- x - y
  void subtract_scores(ScoreSlot x, ScoreSlot y, ScoreSlot to) { passes_.subtract(x, y, to); }
  /// Of all ranks; infinite where one is not finite.
  double largest_score(ScoreSlot x);

  const Penalties& penalties() const { return setup_.penalties; }

  /// Reads of the rows, and Gram matrices, so far.
  std::int64_t reads() const { return reads_; }
  std::int64_t grams() const { return grams_; }
  /// Goes on from these numbers.
  void start_counting(std::int64_t reads, std::int64_t grams) {
    reads_ = reads;
    grams_ = grams;
  }

 private:
  ScoringPoint score_with(std::span<const double> weights);
  void add_over_ranks(std::span<std::int64_t> sums, std::string_view operation);
  Vector mean(std::span<const std::int64_t> run, double factor, bool squared) const;
  void add_penalty(std::span<const double> weights, Vector& gradient) const;
  bool scale_exponent(double bound, int& exponent) const;

  SolverPasses& passes_;
  Communicator& communicator_;
  ObjectiveSetup setup_;
  double row_bound_;  // R, see docs/arithmetic.md
  int fixed_bits_;
  double factor_;  // turns sums into means over the total weight
  std::int64_t reads_ = 0;
  std::int64_t grams_ = 0;
  std::vector<float> scoring_;  // [d], of the last point
};

}  // namespace ossau
