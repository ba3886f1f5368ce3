// Passes over tiles, for any kind of lane: lanes are rows.
//
// Like arith/logistic_formula.hpp this text is included inside a namespace, once for every
// instruction set, and has no include guard.  Beyond the operations of that file `Ops` offers
// loads, stores, gathers, masks, the in-register folds of the butterfly and the conversion to fixed
// point. Whatever the number of lanes, every row and every sum sees the operations of
// docs/arithmetic.md in the same order.

// Tiles whose scores may be taken before the first sum.
constexpr std::size_t kMaxBlock = 8;

// From one of a row's coefficients to its next one.
constexpr std::size_t kBlockRows = kMaxBlock * kTileRows;

// What a sum over rows multiplies: one of a row's coefficients, and x or x^2.
struct RightSide {
  std::size_t coefficient = 0;
  bool squared = false;
};

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
OSSAU_INLINE typename Ops::Float fold_groups(typename Ops::Float* a) {
  for (std::size_t o = kTileRows / Ops::kLanes / 4; o > 0; o /= 2) {
    for (std::size_t i = 0; i < o; ++i) a[i] = Ops::add(a[i], a[i + o]);
  }
  return a[0];
}

// Adds to the sums of features; the sums of several right-hand sides lie side by side.
template <std::size_t kSides>
struct PlainSums {
  std::int64_t* sums;

  explicit PlainSums(const ThreadSums& to) : sums(to.sums) {}
  OSSAU_INLINE void add(std::uint32_t j, const std::int64_t (&fixed)[kSides]) {
    if constexpr (kSides == 2) {
      // At once: each entry's wait for memory is what a pass takes longest over.
      using Two = std::int64_t __attribute__((vector_size(16), may_alias));
      auto* two = reinterpret_cast<Two*>(sums) + j;
      *two += Two{fixed[0], fixed[1]};
    } else {
      for (std::size_t k = 0; k < kSides; ++k) sums[j * kSides + k] += fixed[k];
    }
  }
  void write_back(ThreadSums& /*to*/) const {}
};

// Also lists features whose sum leaves 0.
struct ListingSums {
  std::int64_t* sums;
  std::uint32_t* touched;
  std::size_t count;

  explicit ListingSums(const ThreadSums& to)
      : sums(to.sums), touched(to.touched), count(to.touched_count) {}
  OSSAU_INLINE void add(std::uint32_t j, const std::int64_t (&fixed)[1]) {
    const std::int64_t sum = sums[j];
    touched[count] = j;
    count += sum == 0 ? 1 : 0;
    sums[j] = sum + fixed[0];
  }
  void write_back(ThreadSums& to) const { to.touched_count = count; }
};

#include "backend/cpu/dense_kernels.hpp"
#include "backend/cpu/row_kernels.hpp"
#include "backend/cpu/sparse_kernels.hpp"

// The sum of a tile's 64 numbers by the butterfly, a column of ones being left out.
template <class Ops>
OSSAU_INLINE float sum_of_rows(const float* rows) {
  constexpr std::size_t kHalf = kTileRows / 2 / Ops::kLanes;
  typename Ops::Float a[kHalf];
  for (std::size_t i = 0; i < kHalf; ++i) {
    a[i] = Ops::add(Ops::load(rows + kTileRows / 2 + i * Ops::kLanes),
                    Ops::load(rows + i * Ops::kLanes));
  }
  return Ops::reduce(fold_groups<Ops>(a));
}

// A thread's part of a pass over tiles.
struct TilePass {
  const TileSet& tiles;
  std::span<const TileSlice> slices;
  std::size_t begin;
  std::size_t end;
  const ScoringWeights& weights;
  double fixed_scale;
  float* scores;  // null, or where scores are kept

  TilePass(const TileSet& of, std::span<const TileSlice> all, Range part,
           const ScoringWeights& scoring, double scale, float* keep)
      : tiles(of),
        slices(all),
        begin(static_cast<std::size_t>(part.begin)),
        end(static_cast<std::size_t>(part.end)),
        weights(scoring),
        fixed_scale(scale),
        scores(keep) {}

  // The place of the tile of a slice; past the last one, of the last.
  std::size_t place(std::size_t i) const {
    return static_cast<std::size_t>(slices[std::min(i, slices.size() - 1)].tile -
                                    tiles.owned.begin);
  }
};

// A block of tiles at a time: first their scores, then what each row contributes, then the sums.
template <class Sums, class Kernels, class Rows>
void add_tiles(const Kernels& kernels, const TilePass& pass, Rows& rows, ThreadSums& thread_sums) {
  constexpr std::size_t kRows = kTileRows;
  Sums sums(thread_sums);
  std::int64_t intercept_sums[Rows::kSides] = {};
  const std::size_t block = kernels.block();
  alignas(kAlignment) float buffer[Rows::kCoefficients * kBlockRows];
  for (std::size_t first = pass.begin; first < pass.end; first += block) {
    const std::size_t end = std::min(first + block, pass.end);
    for (std::size_t i = first; i < end; ++i) {
      kernels.template scores<Rows::kSides>(pass.place(i), pass.place(i + 1), pass.weights,
                                            sums.sums, buffer + (i - first) * kRows);
    }
    if (pass.scores != nullptr) {
      std::copy_n(buffer, (end - first) * kRows, pass.scores + first * kRows);
    }
    for (std::size_t i = first; i < end; ++i) {
      rows.finish(pass.tiles.signed_weight.data() + pass.place(i) * kRows, pass.slices[i], i,
                  kernels.head(pass.place(i + block)), buffer + (i - first) * kRows);
    }
    for (std::size_t i = first; i < end; ++i) {
      const float* coefficients = buffer + (i - first) * kRows;
      kernels.template add_sums<Rows>(pass.place(i), pass.place(i + block), coefficients,
                                      pass.fixed_scale, sums);
      for (std::size_t k = 0; k < Rows::kSides; ++k) {
        const float sum = sum_of_rows<typename Rows::Operations>(
            coefficients + Rows::side(k).coefficient * kBlockRows);
        intercept_sums[k] += to_fixed(sum, pass.fixed_scale);
      }
    }
  }
  const auto features = static_cast<std::size_t>(pass.tiles.features);
  for (std::size_t k = 0; k < Rows::kSides; ++k) {
    thread_sums.sums[kernels.template sum_place<Rows::kSides>(features, k)] += intercept_sums[k];
  }
  rows.add_totals(thread_sums.sums + Rows::kSides * (features + 1));
  sums.write_back(thread_sums);
}

// The same for the layout that the tiles have, without lists.
template <class Ops, class Rows>
void add_tiles(const TilePass& pass, Rows& rows, ThreadSums& sums) {
  using Sums = PlainSums<Rows::kSides>;
  if (const auto* dense = std::get_if<DenseTiles>(&pass.tiles.storage)) {
    return add_tiles<Sums>(DenseKernels<Ops>(*dense, pass.tiles.features), pass, rows, sums);
  }
  const auto& sparse = std::get<SparseTiles>(pass.tiles.storage);
  if (sparse.implicit_ones()) {
    add_tiles<Sums>(SparseKernels<Ops, true>(sparse, pass.tiles.features), pass, rows, sums);
  } else {
    add_tiles<Sums>(SparseKernels<Ops, false>(sparse, pass.tiles.features), pass, rows, sums);
  }
}

template <class Ops, class Loss = LogisticLoss<Ops>>
class TileKernels {
 public:
  static void gradient(const TileSet& tiles, std::span<const TileSlice> slices, Range part,
                       const ScoringWeights& weights, double fixed_scale, ThreadSums& sums,
                       float* scores) {
    const TilePass pass(tiles, slices, part, weights, fixed_scale, scores);
    LossRows<Ops, Loss, false, false> rows;
    const auto* sparse = std::get_if<SparseTiles>(&tiles.storage);
    if (sparse == nullptr || sums.touched == nullptr) return add_tiles<Ops>(pass, rows, sums);
    if (sparse->implicit_ones()) {
      add_tiles<ListingSums>(SparseKernels<Ops, true>(*sparse, tiles.features), pass, rows, sums);
    } else {
      add_tiles<ListingSums>(SparseKernels<Ops, false>(*sparse, tiles.features), pass, rows, sums);
    }
  }

  /// sigmoid, softplus and curvature of `count` numbers, a multiple of 64.
  static void logistic_values(const float* m, std::size_t count, float* sigmoid, float* softplus,
                              float* curvatures) {
    for (std::size_t i = 0; i < count; i += Ops::kLanes) {
      const auto value = logistic<Ops>(Ops::load(m + i));
      Ops::store(value.sigmoid, sigmoid + i);
      Ops::store(value.softplus, softplus + i);
      Ops::store(logistic_curvature<Ops>(Ops::load(m + i)), curvatures + i);
    }
  }
};

// All passes for one loss.
template <class Ops>
CpuKernels kernels_of(Simd simd, const char* name, LossKind loss, const SolverKernels& solver) {
  // In parentheses: every instruction set has a list of this name, and all know LossKind.
  return (with_loss<Ops>)(loss, [&](auto of_rows) {
    using Kernels = TileKernels<Ops, decltype(of_rows)>;
    return CpuKernels{.simd = simd,
                      .name = name,
                      .loss = loss,
                      .gradient = Kernels::gradient,
                      .logistic_values = Kernels::logistic_values,
                      .solver = solver};
  });
}
