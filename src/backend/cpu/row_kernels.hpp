// Scores to coefficients and losses, for any kind of lane; included like tile_kernels.hpp.

// Losses of rows, and what was wrong with their scores.
template <class Ops>
class LossSums {
 public:
  using Float = typename Ops::Float;

  /// A score, or 0 in place of one that is not finite.
  OSSAU_INLINE Float finite(Float score) {
    const auto finite = Ops::is_finite(score);
    not_finite_ += static_cast<std::int64_t>(Ops::kLanes - Ops::count(finite));
    return Ops::select(finite, score, Ops::set(0.0f));
  }

  OSSAU_INLINE void add(Float loss) {
    const Float largest = Ops::set(kLargestLoss);
    clamped_ +=
        static_cast<std::int64_t>(Ops::kLanes - Ops::count(Ops::greater_equal(largest, loss)));
    const Float clamped = Ops::min(loss, largest);
    const Float floor = Ops::floor(clamped);
    floors_.add(floor, 1.0);
    fractions_.add(Ops::subtract(clamped, floor), kLossFractionScale);
  }

  /// totals: as in StepTotals.
  void add_totals(std::int64_t* totals) const {
    totals[0] += floors_.total();
    totals[1] += fractions_.total();
    totals[2] += not_finite_;
    totals[3] += clamped_;
  }

 private:
  typename Ops::FixedSum floors_;
  typename Ops::FixedSum fractions_;
  std::int64_t not_finite_ = 0;
  std::int64_t clamped_ = 0;
};

// What the rows of a tile have in common: visit(first row of a register, in_batch), in_batch(x)
// being x in the rows of the slice and 0 outside.
// ahead: fetched meanwhile, for the operations on rows need little memory.
template <class Ops, bool kWhole, class Visit>
OSSAU_INLINE void each_group(const TileSlice& slice, Lines ahead, const Visit& visit) {
  using Float = typename Ops::Float;
  for (std::size_t first = 0; first < kTileRows; first += Ops::kLanes) {
    const auto in_batch = [&](Float x) OSSAU_INLINE_LAMBDA {
      if constexpr (kWhole) return x;
      return Ops::select(Ops::row_mask(first, slice.row_begin, slice.row_end), x, Ops::set(0.0f));
    };
    ahead.part(first / Ops::kLanes, kTileRows / Ops::kLanes).fetch();
    visit(first, in_batch);
  }
}

inline bool is_whole(const TileSlice& slice) {
  return slice.row_begin == 0 && slice.row_end == static_cast<std::int32_t>(kTileRows);
}

// Residuals c r, and where asked for, curvatures cD for one or two further right-hand sides.
template <class Ops, class Loss, bool kCurvature, bool kDiagonal>
class LossRows {
 public:
  using Operations = Ops;
  using Float = typename Ops::Float;
  static constexpr std::size_t kCoefficients = kCurvature || kDiagonal ? 2 : 1;
  static constexpr std::size_t kSides = 1 + (kCurvature ? 1 : 0) + (kDiagonal ? 1 : 0);
  static constexpr RightSide side(std::size_t k) {
    return {.coefficient = k == 0 ? 0U : 1U, .squared = kDiagonal && k + 1 == kSides};
  }

  LossRows() = default;

  /// Replaces the scores of a tile's rows by residuals and adds up losses.  Rows outside the slice
  /// get 0.
  /// signed_weight: [64], see TileSet.
  void finish(const float* signed_weight, const TileSlice& slice, std::size_t /*i*/, Lines ahead,
              float* rows) {
    is_whole(slice) ? finish<true>(signed_weight, slice, ahead, rows)
                    : finish<false>(signed_weight, slice, ahead, rows);
  }

  void add_totals(std::int64_t* totals) const { losses_.add_totals(totals); }

 private:
  template <bool kWhole>
  void finish(const float* signed_weight, const TileSlice& slice, Lines ahead, float* rows) {
    each_group<Ops, kWhole>(
        slice, ahead, [&](std::size_t first, const auto& in_batch) OSSAU_INLINE_LAMBDA {
          const Float score = losses_.finite(in_batch(Ops::load(rows + first)));
          const RowTarget<Ops> target = {Ops::load(signed_weight + first)};
          const auto row = Loss::at(score, target);
          Ops::store(in_batch(row.residual), rows + first);
          if constexpr (kCoefficients == 2) {
            const Float curved = Ops::multiply(Loss::curvature(score, target), target.weight());
            Ops::store(in_batch(curved), rows + kBlockRows + first);
          }
          losses_.add(in_batch(row.loss));
        });
  }

  LossSums<Ops> losses_;
};
