// Dense tiles, for any kind of lane; included like tile_kernels.hpp.

template <class Ops>
class DenseKernels {
 public:
  using Float = typename Ops::Float;
  static constexpr std::size_t kRows = kTileRows;
  static constexpr std::size_t kLanes = Ops::kLanes;
  static constexpr std::size_t kGroups = kRows / kLanes;
  static constexpr std::size_t kHalf = kGroups / 2;  // groups that hold rows 0 to 31

  DenseKernels(const DenseTiles& tiles, std::int64_t features)
      : values_(tiles.values.data()), features_(static_cast<std::size_t>(features)) {}

  /// Tiles whose scores are taken before the first sum: so many that their rows' long chains
  /// of operations overlap, so few that they stay in the first cache.
  std::size_t block() const {
    return std::clamp<std::size_t>(kBlockBytes / (features_ * kRows * sizeof(float) + 1), 1,
                                   kMaxBlock);
  }

  /// Where the sum of a feature, or of the intercept behind them, is for right-hand side k.
  template <std::size_t kSides>
  std::size_t sum_place(std::size_t feature, std::size_t k) const {
    return k * (features_ + 1) + feature;
  }

  template <std::size_t kSides>
  void scores(std::size_t place, std::size_t /*next*/, const ScoringWeights& weights,
              const std::int64_t* /*sums*/, float* scores) const {
    const float* values = tile(place);
    Float total[kGroups];
    for (Float& t : total) t = Ops::set(0.0f);
    for (std::size_t first = 0; first < features_; first += kScoreChunk) {
      const std::size_t end = std::min<std::size_t>(features_, first + kScoreChunk);
      Float sum[kGroups];
      for (Float& s : sum) s = Ops::set(0.0f);
      for (std::size_t j = first; j < end; ++j) {
        const Float weight = Ops::set(weights.values[j]);
        for (std::size_t g = 0; g < kGroups; ++g) {
          sum[g] = Ops::fma(Ops::load(values + j * kRows + g * kLanes), weight, sum[g]);
        }
      }
      for (std::size_t g = 0; g < kGroups; ++g) total[g] = Ops::add(total[g], sum[g]);
    }
    finish_scores<Ops>(total, weights, scores);
  }

  /// The first lines of a tile that a later block will need.
  Lines head(std::size_t place) const { return {tile(place), std::min(kHeadLines, lines())}; }

  /// Adds the features' sums of one tile to `sums`, and fetches of `next` what follows its head: a
  /// line a column; memory has its own lookahead for the rest.
  /// sums: [sides, d + 1], and room for kLanes more.
  template <class Rows>
  void add_sums(std::size_t place, std::size_t next, const float* coefficients, double fixed_scale,
                PlainSums<Rows::kSides> sums) const {
    const float* values = tile(place);
    // Narrow tiles are fetched whole as heads.
    const bool wide = lines() >= kHeadLines + features_;
    const float* ahead = wide ? tile(next) + kHeadLines * Lines::kFloats : values;
    Float r[Rows::kCoefficients][kGroups];
    for (std::size_t c = 0; c < Rows::kCoefficients; ++c) {
      for (std::size_t g = 0; g < kGroups; ++g) {
        r[c][g] = Ops::load(coefficients + c * kBlockRows + g * kLanes);
      }
    }
    std::size_t j = 0;
    for (; j + kLanes <= features_; j += kLanes) {
      if (wide) Lines{ahead + j * Lines::kFloats, kLanes}.fetch();
      add_columns<Rows>(
          r, [&](std::size_t i) OSSAU_INLINE_LAMBDA { return values + (j + i) * kRows; },
          fixed_scale, sums.sums + j);
    }
    if (j == features_) return;
    // The columns that are left; a lane without one adds 0 to what follows the features' sums.
    alignas(kAlignment) static constexpr float kNoColumn[kRows] = {};
    add_columns<Rows>(
        r,
        [&](std::size_t i) OSSAU_INLINE_LAMBDA {
          return j + i < features_ ? values + (j + i) * kRows : kNoColumn;
        },
        fixed_scale, sums.sums + j);
  }

 private:
  static constexpr std::size_t kBlockBytes = 32 << 10;

  // As many lines as arrive while the rows of a tile are finished.
  static constexpr std::size_t kHeadLines = 112;

  std::size_t lines() const { return features_ * kRows / Lines::kFloats; }
  const float* tile(std::size_t place) const { return values_ + place * features_ * kRows; }

  // kLanes columns' sums for every right-hand side from the k-th on: while the columns are near.
  template <class Rows, std::size_t k = 0, class Column>
  OSSAU_INLINE void add_columns(const Float (&r)[Rows::kCoefficients][kGroups],
                                const Column& column, double fixed_scale,
                                std::int64_t* sums) const {
    constexpr RightSide kSide = Rows::side(k);
    const auto sum = [&](std::size_t i) OSSAU_INLINE_LAMBDA {
      return lanes<kSide.squared>(r[kSide.coefficient], column(i));
    };
    Ops::add_fixed(sums + sum_place<Rows::kSides>(0, k), fold_columns<1>(sum, 0), fixed_scale);
    if constexpr (k + 1 < Rows::kSides) add_columns<Rows, k + 1>(r, column, fixed_scale, sums);
  }

  // One column's a_l = fma(r[l+32], x[l+32], r[l] x[l]), then a_l + a_(l+o) down to the lanes of
  // one register.
  template <bool kSquared>
  OSSAU_INLINE static Float lanes(const Float* r, const float* x) {
    const auto value = [&](std::size_t i) OSSAU_INLINE_LAMBDA {
      const Float loaded = Ops::load(x + i * kLanes);
      return kSquared ? Ops::multiply(loaded, loaded) : loaded;
    };
    Float a[kHalf];
    for (std::size_t i = 0; i < kHalf; ++i) {
      a[i] = Ops::fma(r[i + kHalf], value(i + kHalf), Ops::multiply(r[i], value(i)));
    }
    return fold_groups<Ops>(a);
  }

  // The butterfly's end for kLanes columns at once: lane i holds the sum of column i.  Each fold
  // halves the lanes of two registers and packs them into one, so that no lane works in vain.
  template <std::size_t kStride, class Column>
  OSSAU_INLINE static Float fold_columns(const Column& column, std::size_t i) {
    if constexpr (kStride == kLanes) {
      return column(i);
    } else {
      const Float a = fold_columns<2 * kStride>(column, i);
      const Float b = fold_columns<2 * kStride>(column, i + kStride);
      return Ops::template fold<kStride>(a, b);
    }
  }

  const float* values_;
  std::size_t features_;
};
