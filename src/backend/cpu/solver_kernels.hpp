// Passes for solvers (backend/solver_passes.hpp), for any kind of lane; included behind
// tile_kernels.hpp.

// Coefficients of a Hessian product: c q D.
template <class Ops, class Loss>
class HessianRows {
 public:
  using Operations = Ops;
  using Float = typename Ops::Float;
  static constexpr std::size_t kCoefficients = 1;
  static constexpr std::size_t kSides = 1;
  static constexpr RightSide side(std::size_t /*k*/) { return {}; }

  /// at: [slices, 64], the scores at which D is taken.
  HessianRows(const float* at, int exponent)
      : at_(at), factor_(static_cast<float>(power_of_two(-exponent))) {}

  /// Replaces the direction's scores by coefficients.
  void finish(const float* signed_weight, const TileSlice& slice, std::size_t i, Lines ahead,
              float* rows) {
    is_whole(slice) ? finish<true>(signed_weight, slice, i, ahead, rows)
                    : finish<false>(signed_weight, slice, i, ahead, rows);
  }

  void add_totals(std::int64_t* totals) const { counts_.add_totals(totals); }

 private:
  template <bool kWhole>
  void finish(const float* signed_weight, const TileSlice& slice, std::size_t i, Lines ahead,
              float* rows) {
    const float* at = at_ + i * kTileRows;
    each_group<Ops, kWhole>(
        slice, ahead, [&](std::size_t first, const auto& in_batch) OSSAU_INLINE_LAMBDA {
          const Float scaled = Ops::multiply(Ops::load(rows + first), Ops::set(factor_));
          const Float q = counts_.finite(in_batch(scaled));
          const Float score = counts_.finite(in_batch(Ops::load(at + first)));
          const RowTarget<Ops> target = {Ops::load(signed_weight + first)};
          Ops::store(
              Ops::multiply(Ops::multiply(target.weight(), q), Loss::curvature(score, target)),
              rows + first);
        });
  }

  const float* at_;
  float factor_;
  LossSums<Ops> counts_;  // of no losses
};

// Losses and derivatives along a line, from scores alone.
template <class Ops, class Loss>
class LineRows {
 public:
  using Float = typename Ops::Float;

  LineRows(const LinePass& pass, double fixed_scale)
      : steps_(pass.steps),
        factor_(static_cast<float>(power_of_two(-pass.exponent))),
        fixed_scale_(fixed_scale) {}

  /// from, along: [64], as signed_weight.
  void add(const float* signed_weight, const TileSlice& slice, const float* from,
           const float* along) {
    for (std::size_t t = 0; t < steps_.size(); ++t) {
      is_whole(slice) ? add<true>(t, signed_weight, slice, from, along)
                      : add<false>(t, signed_weight, slice, from, along);
    }
  }

  /// sums: [steps, LineSumLayout::kNumbers].
  void add_sums(std::int64_t* sums) const {
    for (std::size_t t = 0; t < steps_.size(); ++t) {
      std::int64_t* mine = sums + t * LineSumLayout::kNumbers;
      losses_[t].add_totals(mine);
      mine[LineSumLayout::kFirst] += first_[t];
      mine[LineSumLayout::kSecond] += second_[t];
    }
  }

 private:
  template <bool kWhole>
  void add(std::size_t t, const float* signed_weight, const TileSlice& slice, const float* from,
           const float* along) {
    alignas(kAlignment) float first[kTileRows];
    alignas(kAlignment) float second[kTileRows];
    LossSums<Ops>& losses = losses_[t];
    each_group<Ops, kWhole>(
        slice, {}, [&](std::size_t row, const auto& in_batch) OSSAU_INLINE_LAMBDA {
          const Float dz = Ops::load(along + row);
          const Float moved = Ops::fma(Ops::set(steps_[t]), dz, Ops::load(from + row));
          const Float score = losses.finite(in_batch(moved));
          const Float q = losses.finite(in_batch(Ops::multiply(dz, Ops::set(factor_))));
          const RowTarget<Ops> target = {Ops::load(signed_weight + row)};
          const auto value = Loss::value(score, target);
          const Float u = target.residual(q);
          Ops::store(Ops::multiply(value.slope, u), first + row);
          Ops::store(Ops::multiply(Loss::curvature(score, target),
                                   Ops::multiply(Ops::abs(u), Ops::abs(q))),
                     second + row);
          losses.add(in_batch(Ops::multiply(value.loss, target.weight())));
        });
    first_[t] += to_fixed(sum_of_rows<Ops>(first), fixed_scale_);
    second_[t] += to_fixed(sum_of_rows<Ops>(second), fixed_scale_);
  }

  std::span<const float> steps_;
  float factor_;
  double fixed_scale_;
  LossSums<Ops> losses_[kMostLineSteps];
  std::int64_t first_[kMostLineSteps] = {};
  std::int64_t second_[kMostLineSteps] = {};
};

template <class Ops, class Loss>
struct SolverTileKernels {
  static void fused(const TilePart& part, const FusedPass& pass, ThreadSums& sums, float* to) {
    if (pass.curvature && pass.diagonal) return fused<true, true>(part, pass, sums, to);
    if (pass.curvature) return fused<true, false>(part, pass, sums, to);
    fused<false, true>(part, pass, sums, to);
  }

  static void hessian_times(const TilePart& part, const HessianPass& pass, ThreadSums& sums,
                            const float* at, float* to) {
    const ScoringWeights weights = scoring(pass.direction);
    HessianRows<Ops, Loss> rows(at, pass.exponent);
    add_tiles<Ops>(
        TilePass(part.tiles, part.slices, part.range, weights, power_of_two(pass.fixed_bits), to),
        rows, sums);
  }

  static void line(const TilePart& part, const LinePass& pass, const LineScores& scores,
                   std::int64_t* sums) {
    LineRows<Ops, Loss> rows(pass, power_of_two(pass.fixed_bits));
    for (auto i = static_cast<std::size_t>(part.range.begin);
         i < static_cast<std::size_t>(part.range.end); ++i) {
      const std::size_t row = i * kTileRows;
      rows.add(part.tiles.signed_weight.data() + row, part.slices[i], scores.from + row,
               scores.along + row);
    }
    rows.add_sums(sums);
  }

  static void add_scaled(float a, const float* x, float* y, std::size_t count) {
    for (std::size_t i = 0; i < count; i += Ops::kLanes) {
      Ops::store(Ops::fma(Ops::set(a), Ops::load(x + i), Ops::load(y + i)), y + i);
    }
  }

  static SolverKernels table(const GramKernels& gram) {
    return {.fused = fused,
            .hessian_times = hessian_times,
            .line = line,
            .add_scaled = add_scaled,
            .gram = gram};
  }

 private:
  static ScoringWeights scoring(const ScoringPoint& point) {
    return {.values = point.weights.data(), .scale = 1, .intercept = point.intercept};
  }

  template <bool kCurvature, bool kDiagonal>
  static void fused(const TilePart& part, const FusedPass& pass, ThreadSums& sums, float* to) {
    const ScoringWeights weights = scoring(pass.point);
    LossRows<Ops, Loss, kCurvature, kDiagonal> rows;
    add_tiles<Ops>(
        TilePass(part.tiles, part.slices, part.range, weights, power_of_two(pass.fixed_bits), to),
        rows, sums);
  }
};

// All passes of solvers for one loss.
template <class Ops>
SolverKernels solver_kernels_of(LossKind loss, const GramKernels& gram) {
  // In parentheses: every instruction set has a list of this name, and all know LossKind.
  return (with_loss<Ops>)(loss, [&](auto of_rows) {
    return SolverTileKernels<Ops, decltype(of_rows)>::table(gram);
  });
}
