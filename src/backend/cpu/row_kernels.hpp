// Scores to residuals and losses, for any kind of lane; included like tile_kernels.hpp.

template <class Ops>
class RowKernels {
 public:
  using Float = typename Ops::Float;
  using Mask = typename Ops::Mask;
  static constexpr std::size_t kRows = kTileRows;
  static constexpr std::size_t kLanes = Ops::kLanes;
  static constexpr std::size_t kGroups = kRows / kLanes;

  RowKernels() = default;

  /// Replaces the scores of a tile's rows by residuals and adds up losses.  Rows outside the slice
  /// get residual 0.
  /// signed_weight: [64], see TileSet.  ahead: fetched meanwhile, for these operations need little
  /// memory.
  void finish(const float* signed_weight, const TileSlice& slice, Lines ahead, float* rows) {
    const bool whole = slice.row_begin == 0 && slice.row_end == static_cast<std::int32_t>(kRows);
    whole ? finish<true>(signed_weight, slice, ahead, rows)
          : finish<false>(signed_weight, slice, ahead, rows);
  }

  /// Adds what was found to the totals of `sums`.
  void add_totals(SumLayout layout, std::int64_t* sums) const {
    std::int64_t* totals = sums + layout.totals();
    totals[0] += loss_floors_.total();
    totals[1] += loss_fractions_.total();
    totals[2] += not_finite_;
    totals[3] += clamped_;
  }

 private:
  template <bool kWhole>
  void finish(const float* signed_weight, const TileSlice& slice, Lines ahead, float* rows) {
    const Float zero = Ops::set(0.0f);
    for (std::size_t first = 0; first < kRows; first += kLanes) {
      const auto in_batch = [&](Float x) {
        if constexpr (kWhole) return x;
        return Ops::select(Ops::row_mask(first, slice.row_begin, slice.row_end), x, zero);
      };
      ahead.part(first / kLanes, kRows / kLanes).fetch();
      const Float score = in_batch(Ops::load(rows + first));
      const Mask finite = Ops::is_finite(score);
      not_finite_ += static_cast<std::int64_t>(kLanes - Ops::count(finite));
      const Float weight = Ops::load(signed_weight + first);
      const Float m = Ops::flip_sign(Ops::select(finite, score, zero), weight);
      const auto value = logistic<Ops>(m);
      Ops::store(in_batch(Ops::multiply(value.sigmoid, weight)), rows + first);
      add_losses(in_batch(Ops::multiply(value.softplus, Ops::abs(weight))));
    }
  }

  void add_losses(Float loss) {
    const Float largest = Ops::set(kLargestLoss);
    clamped_ += static_cast<std::int64_t>(kLanes - Ops::count(Ops::greater_equal(largest, loss)));
    const Float clamped = Ops::min(loss, largest);
    const Float floor = Ops::floor(clamped);
    loss_floors_.add(floor, 1.0);
    loss_fractions_.add(Ops::subtract(clamped, floor), kLossFractionScale);
  }

  typename Ops::FixedSum loss_floors_;
  typename Ops::FixedSum loss_fractions_;
  std::int64_t not_finite_ = 0;
  std::int64_t clamped_ = 0;
};
