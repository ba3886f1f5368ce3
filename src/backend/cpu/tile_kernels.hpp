// Passes over tiles, for any kind of lane: lanes are rows.
//
// Like arith/logistic_formula.hpp this text is included inside a namespace, once for every
// instruction set, and has no include guard.  Beyond the operations of that file `Ops` offers
// loads, stores, gathers, masks, the in-register end of the butterfly and the conversion to fixed
// point. Whatever the number of lanes, every row and every sum sees the operations of
// docs/arithmetic.md in the same order.

template <class Ops>
class TileKernels {
 public:
  static void gradient(const TileSet& tiles, std::span<const TileSlice> slices,
                       const ScoringWeights& weights, double fixed_scale, std::int64_t* sums) {
    Pass pass{.fixed_scale = fixed_scale, .sums = sums, .layout = {tiles.features}};
    for (const TileSlice& slice : slices) {
      const auto tile = static_cast<std::size_t>(slice.tile - tiles.owned.begin);
      alignas(kAlignment) float rows[kRows];
      if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
        const float* values = dense->values.data() + tile * tile_size(tiles);
        dense_scores(values, tiles.features, weights, rows);
        finish_rows(tiles, tile, slice, rows, pass);
        dense_gradient(values, tiles.features, rows, pass);
      } else {
        const auto& sparse = std::get<SparseTiles>(tiles.storage);
        sparse_scores(sparse, tile, weights, rows);
        finish_rows(tiles, tile, slice, rows, pass);
        sparse_gradient(sparse, tile, rows, pass);
      }
      intercept_gradient(rows, pass);
    }
    pass.add_totals();
  }

  static void scores(const TileSet& tiles, Range places, const ScoringWeights& weights,
                     float* scores) {
    for (std::int64_t place = places.begin; place < places.end; ++place) {
      const auto tile = static_cast<std::size_t>(place);
      float* rows = scores + (tile - static_cast<std::size_t>(places.begin)) * kRows;
      if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
        dense_scores(dense->values.data() + tile * tile_size(tiles), tiles.features, weights, rows);
      } else {
        sparse_scores(std::get<SparseTiles>(tiles.storage), tile, weights, rows);
      }
    }
  }

  /// sigmoid and softplus of `count` numbers, a multiple of 64.
  static void logistic_values(const float* m, std::size_t count, float* sigmoid, float* softplus) {
    for (std::size_t i = 0; i < count; i += kLanes) {
      const auto value = logistic<Ops>(Ops::load(m + i));
      Ops::store(value.sigmoid, sigmoid + i);
      Ops::store(value.softplus, softplus + i);
    }
  }

 private:
  using Float = typename Ops::Float;
  using Mask = typename Ops::Mask;
  static constexpr std::size_t kRows = kTileRows;
  static constexpr std::size_t kLanes = Ops::kLanes;
  static constexpr std::size_t kGroups = kRows / kLanes;
  static constexpr std::size_t kHalf = kGroups / 2;  // groups that hold rows 0 to 31

  // What a pass adds up besides gradients, lane by lane.
  struct Pass {
    double fixed_scale;
    std::int64_t* sums;
    SumLayout layout;
    alignas(kAlignment) std::int64_t loss_floors[kLanes] = {};
    alignas(kAlignment) std::int64_t loss_fractions[kLanes] = {};
    std::int64_t not_finite = 0;
    std::int64_t clamped = 0;

    void add_totals() const {
      std::int64_t* totals = sums + layout.totals();
      for (std::size_t i = 0; i < kLanes; ++i) {
        totals[0] += loss_floors[i];
        totals[1] += loss_fractions[i];
      }
      totals[2] += not_finite;
      totals[3] += clamped;
    }
  };

  static std::size_t tile_size(const TileSet& tiles) {
    return static_cast<std::size_t>(tiles.features) * kRows;
  }

  static void dense_scores(const float* values, std::int64_t features,
                           const ScoringWeights& weights, float* scores) {
    Float total[kGroups];
    for (Float& t : total) t = Ops::set(0.0f);
    for (std::int64_t first = 0; first < features; first += kScoreChunk) {
      const std::int64_t end = std::min(features, first + kScoreChunk);
      Float sum[kGroups];
      for (Float& s : sum) s = Ops::set(0.0f);
      for (std::int64_t j = first; j < end; ++j) {
        const Float weight = Ops::set(weights.values[j]);
        const float* column = values + static_cast<std::size_t>(j) * kRows;
        for (std::size_t g = 0; g < kGroups; ++g) {
          sum[g] = Ops::fma(Ops::load(column + g * kLanes), weight, sum[g]);
        }
      }
      for (std::size_t g = 0; g < kGroups; ++g) total[g] = Ops::add(total[g], sum[g]);
    }
    finish_scores(total, weights, scores);
  }

  static void finish_scores(const Float* total, const ScoringWeights& weights, float* scores) {
    const Float scale = Ops::set(weights.scale);
    const Float intercept = Ops::set(weights.intercept);
    for (std::size_t g = 0; g < kGroups; ++g) {
      Ops::store(Ops::fma(scale, total[g], intercept), scores + g * kLanes);
    }
  }

  // Scores to residuals, in place; adds up losses.  Rows outside the slice get residual 0.
  static void finish_rows(const TileSet& tiles, std::size_t tile, const TileSlice& slice,
                          float* rows, Pass& pass) {
    const float* signed_weight = tiles.signed_weight.data() + tile * kRows;
    const Float zero = Ops::set(0.0f);
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::size_t first = g * kLanes;
      const Mask in_batch = Ops::row_mask(first, slice.row_begin, slice.row_end);
      const Float score = Ops::select(in_batch, Ops::load(rows + first), zero);
      const Mask finite = Ops::is_finite(score);
      pass.not_finite += static_cast<std::int64_t>(kLanes - Ops::count(finite));
      const Float weight = Ops::load(signed_weight + first);
      const Float m = Ops::flip_sign(Ops::select(finite, score, zero), weight);
      const auto value = logistic<Ops>(m);
      const Float residual = Ops::multiply(value.sigmoid, weight);
      const Float loss = Ops::multiply(value.softplus, Ops::abs(weight));
      Ops::store(Ops::select(in_batch, residual, zero), rows + first);
      add_losses(Ops::select(in_batch, loss, zero), pass);
    }
  }

  static void add_losses(Float loss, Pass& pass) {
    const Float largest = Ops::set(kLargestLoss);
    pass.clamped +=
        static_cast<std::int64_t>(kLanes - Ops::count(Ops::greater_equal(largest, loss)));
    const Float clamped = Ops::min(loss, largest);
    const Float floor = Ops::floor(clamped);
    Ops::add_fixed(pass.loss_floors, floor, 1.0);
    Ops::add_fixed(pass.loss_fractions, Ops::subtract(clamped, floor), kLossFractionScale);
  }

  // a_l + a_(l+o), o = 16, 8, ..., 1: first between groups of lanes, then inside one.
  static float butterfly(Float* a) {
    for (std::size_t o = kHalf / 2; o > 0; o /= 2) {
      for (std::size_t i = 0; i < o; ++i) a[i] = Ops::add(a[i], a[i + o]);
    }
    return Ops::reduce(a[0]);
  }

  static void dense_gradient(const float* values, std::int64_t features, const float* residuals,
                             Pass& pass) {
    Float r[kGroups];
    for (std::size_t g = 0; g < kGroups; ++g) r[g] = Ops::load(residuals + g * kLanes);
    for (std::int64_t first = 0; first < features; first += kScoreChunk) {
      const std::int64_t end = std::min(features, first + kScoreChunk);
      alignas(kAlignment) float partial[kScoreChunk];
      for (std::int64_t j = first; j < end; ++j) {
        const float* x = values + static_cast<std::size_t>(j) * kRows;
        Float a[kHalf];
        for (std::size_t i = 0; i < kHalf; ++i) {
          const Float low = Ops::multiply(r[i], Ops::load(x + i * kLanes));
          a[i] = Ops::fma(r[i + kHalf], Ops::load(x + (i + kHalf) * kLanes), low);
        }
        partial[j - first] = butterfly(a);
      }
      add_partials(partial, end - first, pass.sums + first, pass.fixed_scale);
    }
  }

  static void add_partials(const float* partial, std::int64_t count, std::int64_t* sums,
                           double scale) {
    const auto lanes = static_cast<std::int64_t>(kLanes);
    std::int64_t j = 0;
    for (; j + lanes <= count; j += lanes) Ops::add_fixed(sums + j, Ops::load(partial + j), scale);
    for (; j < count; ++j) sums[j] += to_fixed(partial[j], scale);
  }

  static void intercept_gradient(const float* residuals, Pass& pass) {
    Float a[kHalf];
    for (std::size_t i = 0; i < kHalf; ++i) {
      a[i] =
          Ops::add(Ops::load(residuals + (i + kHalf) * kLanes), Ops::load(residuals + i * kLanes));
    }
    pass.sums[pass.layout.intercept()] += to_fixed(butterfly(a), pass.fixed_scale);
  }

  static void sparse_scores(const SparseTiles& sparse, std::size_t tile,
                            const ScoringWeights& weights, float* scores) {
    const auto first = static_cast<std::size_t>(sparse.slice_start[tile]);
    const auto slices = static_cast<std::size_t>(sparse.slice_start[tile + 1]) - first;
    const std::uint32_t* length = sparse.length.data() + tile * kRows;
    alignas(kAlignment) float total[kRows];
    alignas(kAlignment) float open[kRows];  // sum of each row's chunk that may go on in the spill
    for (std::size_t g = 0; g < kGroups; ++g) {
      Float row_total = Ops::set(0.0f);
      Float sum = Ops::set(0.0f);
      for (std::size_t k = 0; k < slices; ++k) {
        if (k > 0 && k % kScoreChunk == 0) {
          row_total = Ops::add(row_total, sum);
          sum = Ops::set(0.0f);
        }
        const std::size_t slot = (first + k) * kRows + g * kLanes;
        const Float weight = Ops::gather(weights.values, sparse.index.data() + slot);
        const Float x =
            sparse.implicit_ones() ? Ops::set(1.0f) : Ops::load(sparse.value.data() + slot);
        const Mask present = Ops::longer_than(length + g * kLanes, k);
        sum = Ops::select(present, Ops::fma(x, weight, sum), sum);
      }
      Ops::store(row_total, total + g * kLanes);
      Ops::store(sum, open + g * kLanes);
    }
    add_spill_scores(sparse, tile, slices, weights, total, open);
    Float sums[kGroups];
    for (std::size_t g = 0; g < kGroups; ++g) {
      sums[g] = Ops::add(Ops::load(total + g * kLanes), Ops::load(open + g * kLanes));
    }
    finish_scores(sums, weights, scores);
  }

  // Continues the chains of rows longer than their tile's slices.
  static void add_spill_scores(const SparseTiles& sparse, std::size_t tile, std::size_t slices,
                               const ScoringWeights& weights, float* total, float* open) {
    const auto end = static_cast<std::size_t>(sparse.spill_start[tile + 1]);
    std::size_t k = slices;
    for (auto entry = static_cast<std::size_t>(sparse.spill_start[tile]); entry < end;
         ++entry, ++k) {
      const std::size_t row = sparse.spill_row[entry];
      const bool new_row = entry == static_cast<std::size_t>(sparse.spill_start[tile]) ||
                           sparse.spill_row[entry - 1] != row;
      if (new_row) k = slices;
      if (k > 0 && k % kScoreChunk == 0) {
        total[row] += open[row];
        open[row] = 0.0f;
      }
      const float x = sparse.implicit_ones() ? 1.0f : sparse.spill_value[entry];
      open[row] = ScalarOps::fma(x, weights.values[sparse.spill_index[entry]], open[row]);
    }
  }

  static void sparse_gradient(const SparseTiles& sparse, std::size_t tile, const float* residuals,
                              Pass& pass) {
    const auto first = static_cast<std::size_t>(sparse.slice_start[tile]);
    const auto end = static_cast<std::size_t>(sparse.slice_start[tile + 1]);
    const std::uint32_t* length = sparse.length.data() + tile * kRows;
    for (std::size_t slice = first; slice < end; ++slice) {
      alignas(kAlignment) std::int64_t fixed[kRows] = {};
      for (std::size_t g = 0; g < kGroups; ++g) {
        const std::size_t slot = slice * kRows + g * kLanes;
        const Float r = Ops::load(residuals + g * kLanes);
        const Float product =
            sparse.implicit_ones() ? r : Ops::multiply(r, Ops::load(sparse.value.data() + slot));
        Ops::add_fixed(fixed + g * kLanes, product, pass.fixed_scale);
      }
      const std::uint32_t* index = sparse.index.data() + slice * kRows;
      for (std::size_t i = 0; i < kRows; ++i) {
        if (slice - first < length[i]) pass.sums[index[i]] += fixed[i];
      }
    }
    const auto spill_end = static_cast<std::size_t>(sparse.spill_start[tile + 1]);
    for (auto entry = static_cast<std::size_t>(sparse.spill_start[tile]); entry < spill_end;
         ++entry) {
      const float r = residuals[sparse.spill_row[entry]];
      const float product = sparse.implicit_ones() ? r : r * sparse.spill_value[entry];
      pass.sums[sparse.spill_index[entry]] += to_fixed(product, pass.fixed_scale);
    }
  }
};
