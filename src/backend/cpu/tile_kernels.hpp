// Passes over tiles, for any kind of lane: lanes are rows.
//
// Like arith/logistic_formula.hpp this text is included inside a namespace, once for every
// instruction set, and has no include guard.  Beyond the operations of that file `Ops` offers
// loads, stores, gathers, masks, the in-register folds of the butterfly and the conversion to fixed
// point. Whatever the number of lanes, every row and every sum sees the operations of
// docs/arithmetic.md in the same order.

// Tiles whose scores may be taken before the first gradient.
constexpr std::size_t kMaxBlock = 8;

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

// Adds to the sums of features.
struct PlainSums {
  std::int64_t* sums;

  explicit PlainSums(const ThreadSums& to) : sums(to.sums) {}
  OSSAU_INLINE void add(std::uint32_t j, std::int64_t fixed) { sums[j] += fixed; }
  void write_back(ThreadSums& /*to*/) const {}
};

// Also lists features whose sum leaves 0.
struct ListingSums {
  std::int64_t* sums;
  std::uint32_t* touched;
  std::size_t count;

  explicit ListingSums(const ThreadSums& to)
      : sums(to.sums), touched(to.touched), count(to.touched_count) {}
  OSSAU_INLINE void add(std::uint32_t j, std::int64_t fixed) {
    const std::int64_t sum = sums[j];
    touched[count] = j;
    count += sum == 0 ? 1 : 0;
    sums[j] = sum + fixed;
  }
  void write_back(ThreadSums& to) const { to.touched_count = count; }
};

#include "backend/cpu/dense_kernels.hpp"
#include "backend/cpu/row_kernels.hpp"
#include "backend/cpu/sparse_kernels.hpp"

template <class Ops>
class TileKernels {
 public:
  static void gradient(const TileSet& tiles, std::span<const TileSlice> slices, Range part,
                       const ScoringWeights& weights, double fixed_scale, ThreadSums& sums,
                       float* scores) {
    const Pass pass{.tiles = tiles,
                    .slices = slices,
                    .begin = static_cast<std::size_t>(part.begin),
                    .end = static_cast<std::size_t>(part.end),
                    .weights = weights,
                    .fixed_scale = fixed_scale,
                    .scores = scores};
    if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
      const DenseKernels<Ops> kernels(*dense, tiles.features);
      return gradient<PlainSums>(kernels, pass, sums);
    }
    const auto& sparse = std::get<SparseTiles>(tiles.storage);
    if (sparse.implicit_ones()) {
      sparse_gradient(SparseKernels<Ops, true>(sparse, tiles.features), pass, sums);
    } else {
      sparse_gradient(SparseKernels<Ops, false>(sparse, tiles.features), pass, sums);
    }
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

  struct Pass {
    const TileSet& tiles;
    std::span<const TileSlice> slices;
    std::size_t begin;
    std::size_t end;
    const ScoringWeights& weights;
    double fixed_scale;
    float* scores;

    // The place of the tile of a slice; past the last one, of the last.
    std::size_t place(std::size_t i) const {
      return static_cast<std::size_t>(slices[std::min(i, slices.size() - 1)].tile -
                                      tiles.owned.begin);
    }
  };

  template <class Kernels>
  static void sparse_gradient(const Kernels& kernels, const Pass& pass, ThreadSums& sums) {
    if (sums.touched == nullptr) {
      gradient<PlainSums>(kernels, pass, sums);
    } else {
      gradient<ListingSums>(kernels, pass, sums);
    }
  }

  // A block of tiles at a time: first their scores, then losses and residuals, then gradients.
  template <class Sums, class Kernels>
  static void gradient(const Kernels& kernels, const Pass& pass, ThreadSums& thread_sums) {
    Sums sums(thread_sums);
    RowKernels<Ops> row_kernels;
    std::int64_t intercept_sum = 0;
    const std::size_t block = kernels.block();
    alignas(kAlignment) float rows[kMaxBlock * kRows];
    for (std::size_t first = pass.begin; first < pass.end; first += block) {
      const std::size_t end = std::min(first + block, pass.end);
      for (std::size_t i = first; i < end; ++i) {
        kernels.scores(pass.place(i), pass.place(i + 1), pass.weights, sums.sums,
                       rows + (i - first) * kRows);
      }
      if (pass.scores != nullptr) {
        std::copy_n(rows, (end - first) * kRows, pass.scores + first * kRows);
      }
      for (std::size_t i = first; i < end; ++i) {
        row_kernels.finish(pass.tiles.signed_weight.data() + pass.place(i) * kRows, pass.slices[i],
                           kernels.head(pass.place(i + block)), rows + (i - first) * kRows);
      }
      for (std::size_t i = first; i < end; ++i) {
        const float* residuals = rows + (i - first) * kRows;
        kernels.gradient(pass.place(i), pass.place(i + block), residuals, pass.fixed_scale, sums);
        intercept_sum += to_fixed(residual_sum(residuals), pass.fixed_scale);
      }
    }
    const SumLayout layout{pass.tiles.features};
    thread_sums.sums[layout.intercept()] += intercept_sum;
    row_kernels.add_totals(layout, thread_sums.sums);
    sums.write_back(thread_sums);
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
