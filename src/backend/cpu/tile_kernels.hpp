// Passes over tiles, for any kind of lane: lanes are rows.
//
// Like arith/logistic_formula.hpp this text is included inside a namespace, once for every
// instruction set, and has no include guard.  Beyond the operations of that file `Ops` offers
// loads, stores, gathers, masks, the in-register folds of the butterfly and the conversion to fixed
// point. Whatever the number of lanes, every row and every sum sees the operations of
// docs/arithmetic.md in the same order.

// Cache lines that will be needed soon; they may lie beyond the end of an array.
struct Lines {
  static constexpr std::size_t kFloats = kAlignment / sizeof(float);

  const float* at = nullptr;
  std::size_t count = 0;

  Lines part(std::size_t i, std::size_t parts) const {
    return {at + i * (count / parts) * kFloats, count / parts};
  }
  // Into the second cache: the first one still holds what is being worked on.
  OSSAU_INLINE void fetch() const {
    for (std::size_t i = 0; i < count; ++i) __builtin_prefetch(at + i * kFloats, 0, 2);
  }
};

// The end of every score: scale * total + intercept.
template <class Ops>
void finish_scores(const typename Ops::Float* total, const ScoringWeights& weights, float* scores) {
  const auto scale = Ops::set(weights.scale);
  const auto intercept = Ops::set(weights.intercept);
  for (std::size_t g = 0; g < kTileRows / Ops::kLanes; ++g) {
    Ops::store(Ops::fma(scale, total[g], intercept), scores + g * Ops::kLanes);
  }
}

// The butterfly's a_l + a_(l+o) from 32 numbers down to the lanes of one register.
template <class Ops>
typename Ops::Float fold_groups(typename Ops::Float* a) {
  for (std::size_t o = kTileRows / Ops::kLanes / 4; o > 0; o /= 2) {
    for (std::size_t i = 0; i < o; ++i) a[i] = Ops::add(a[i], a[i + o]);
  }
  return a[0];
}

// Adds to sums of features.
struct PlainSums {
  std::int64_t* sums;
  OSSAU_INLINE void add(std::uint32_t j, std::int64_t fixed) { sums[j] += fixed; }
};

#include "backend/cpu/dense_kernels.hpp"
#include "backend/cpu/row_kernels.hpp"
#include "backend/cpu/sparse_kernels.hpp"

template <class Ops>
class TileKernels {
 public:
  static void gradient(const TileSet& tiles, std::span<const TileSlice> slices,
                       const ScoringWeights& weights, double fixed_scale, std::int64_t* sums) {
    with_kernels(tiles, [&](const auto& kernels) {
      gradient(kernels, tiles, slices, weights, fixed_scale, sums);
    });
  }

  static void scores(const TileSet& tiles, Range places, const ScoringWeights& weights,
                     float* scores) {
    with_kernels(tiles, [&](const auto& kernels) { score(kernels, places, weights, scores); });
  }

  /// sigmoid and softplus of `count` numbers, a multiple of 64.
  static void logistic_values(const float* m, std::size_t count, float* sigmoid, float* softplus) {
    for (std::size_t i = 0; i < count; i += Ops::kLanes) {
      const auto value = logistic<Ops>(Ops::load(m + i));
      Ops::store(value.sigmoid, sigmoid + i);
      Ops::store(value.softplus, softplus + i);
    }
  }

 private:
  static constexpr std::size_t kRows = kTileRows;
  static constexpr std::size_t kMaxBlock = 8;

  template <class Visit>
  static void with_kernels(const TileSet& tiles, const Visit& visit) {
    if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
      return visit(DenseKernels<Ops>(*dense, tiles.features));
    }
    const auto& sparse = std::get<SparseTiles>(tiles.storage);
    if (sparse.implicit_ones()) {
      visit(SparseKernels<Ops, true>(sparse, tiles.features));
    } else {
      visit(SparseKernels<Ops, false>(sparse, tiles.features));
    }
  }

  template <class Kernels>
  static void gradient(const Kernels& kernels, const TileSet& tiles,
                       std::span<const TileSlice> slices, const ScoringWeights& weights,
                       double fixed_scale, std::int64_t* sums) {
    const auto place = [&](std::size_t i) {
      return static_cast<std::size_t>(slices[std::min(i, slices.size() - 1)].tile -
                                      tiles.owned.begin);
    };
    const SumLayout layout{tiles.features};
    PlainSums plain{sums};
    RowKernels<Ops> row_kernels;
    std::int64_t intercept_sum = 0;
    const std::size_t block = kernels.block();
    alignas(kAlignment) float rows[kMaxBlock * kRows];
    for (std::size_t first = 0; first < slices.size(); first += block) {
      const std::size_t end = std::min(first + block, slices.size());
      for (std::size_t i = first; i < end; ++i) {
        kernels.scores(place(i), weights, sums, rows + (i - first) * kRows);
      }
      for (std::size_t i = first; i < end; ++i) {
        row_kernels.finish(tiles.signed_weight.data() + place(i) * kRows, slices[i],
                           kernels.head(place(i + block)), rows + (i - first) * kRows);
      }
      for (std::size_t i = first; i < end; ++i) {
        const float* residuals = rows + (i - first) * kRows;
        kernels.gradient(place(i), place(i + block), residuals, fixed_scale, plain);
        intercept_sum += to_fixed(residual_sum(residuals), fixed_scale);
      }
    }
    sums[layout.intercept()] += intercept_sum;
    row_kernels.add_totals(layout, sums);
  }

  template <class Kernels>
  static void score(const Kernels& kernels, Range places, const ScoringWeights& weights,
                    float* scores) {
    for (std::int64_t place = places.begin; place < places.end; ++place) {
      kernels.scores(static_cast<std::size_t>(place), weights, nullptr,
                     scores + (place - places.begin) * kTileRows);
    }
  }

  static float residual_sum(const float* residuals) {
    constexpr std::size_t kHalf = kRows / 2 / Ops::kLanes;
    typename Ops::Float a[kHalf];
    for (std::size_t i = 0; i < kHalf; ++i) {
      a[i] = Ops::add(Ops::load(residuals + kRows / 2 + i * Ops::kLanes),
                      Ops::load(residuals + i * Ops::kLanes));
    }
    return Ops::reduce(fold_groups<Ops>(a));
  }
};
