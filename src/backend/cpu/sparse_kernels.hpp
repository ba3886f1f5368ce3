// Sparse tiles, for any kind of lane; included like tile_kernels.hpp.

// kOnes: every stored value is an implicit one.
template <class Ops, bool kOnes>
class SparseKernels {
 public:
  using Float = typename Ops::Float;
  static constexpr std::size_t kRows = kTileRows;
  static constexpr std::size_t kLanes = Ops::kLanes;
  static constexpr std::size_t kGroups = kRows / kLanes;

  SparseKernels(const SparseTiles& tiles, std::int64_t features)
      : tiles_(tiles),
        index_(tiles.index.data()),
        value_(tiles.value.data()),
        last_slice_(tiles.index.size() - std::min(tiles.index.size(), kRows)),
        far_(features >= kFarFeatures) {}

  /// Tiles whose scores are taken before the first sum: short rows alone would leave the
  /// chains of operations of their losses little to overlap with.
  std::size_t block() const {
    const auto tiles = tiles_.slice_start.size() - 1;
    const auto slices = static_cast<std::size_t>(tiles_.slice_start.back());
    return std::clamp<std::size_t>(kBlockSlices * tiles / (slices + 1), 1, kMaxBlock);
  }

  Lines head(std::size_t /*place*/) const { return {}; }

  /// Where the sum of a feature, or of the intercept behind them, is for right-hand side k: beside
  /// those of the others, for all are added at once and may be far away.
  template <std::size_t kSides>
  std::size_t sum_place(std::size_t feature, std::size_t k) const {
    return feature * kSides + k;
  }

  /// sums: what the sums of this tile will be added to, to be fetched.
  /// next: the tile after this one, to be fetched too.
  template <std::size_t kSides>
  void scores(std::size_t tile, std::size_t next, const ScoringWeights& weights,
              const std::int64_t* sums, float* scores) const {
    Chains chains;
    const std::size_t slices = slice_count(tile);
    const std::uint32_t* length = tiles_.length.data() + tile * kRows;
    const std::size_t full =
        std::min<std::size_t>(slices, *std::min_element(length, length + kRows));
    for (std::size_t k = 0; k < slices; ++k) {
      if (k > 0 && k % kScoreChunk == 0) chains.close_chunk();
      const std::size_t slot = first_slot(tile) + k * kRows;
      if (far_) fetch<kSides>(slot, first_slot(next) + k * kRows, weights.values, sums);
      const auto present = [&](std::size_t g) OSSAU_INLINE_LAMBDA {
        return Ops::longer_than(length + g * kLanes, k);
      };
      for (std::size_t g = 0; g < kGroups; ++g) {
        const Float longer = longer_chain(slot + g * kLanes, weights.values, chains.open[g]);
        chains.open[g] = k < full ? longer : Ops::select(present(g), longer, chains.open[g]);
      }
    }
    finish(tile, chains, weights, scores);
  }

  /// Adds the features' sums of one tile to `sums`.
  template <class Rows, class Sums>
  void add_sums(std::size_t tile, std::size_t /*next*/, const float* coefficients,
                double fixed_scale, Sums& sums) const {
    const std::size_t slices = slice_count(tile);
    const std::size_t at_once = kOnes ? slices : kSliceBlock / Rows::kSides;
    for (std::size_t begin = 0; begin < slices; begin += at_once) {
      add_slices<Rows>(tile, begin, std::min(begin + at_once, slices), coefficients, fixed_scale,
                       sums);
    }
    const auto end = static_cast<std::size_t>(tiles_.spill_start[tile + 1]);
    for (auto i = static_cast<std::size_t>(tiles_.spill_start[tile]); i < end; ++i) {
      std::int64_t fixed[Rows::kSides];
      for (std::size_t k = 0; k < Rows::kSides; ++k) {
        const float r = coefficients[Rows::side(k).coefficient * kBlockRows + tiles_.spill_row[i]];
        const float x = kOnes ? 1.0f : tiles_.spill_value[i];
        const float product = kOnes ? r : r * (Rows::side(k).squared ? x * x : x);
        fixed[k] = to_fixed(product, fixed_scale);
      }
      sums.add(tiles_.spill_index[i], fixed);
    }
  }

 private:
  static constexpr std::size_t kBlockSlices = 64;
  static constexpr std::size_t kSliceBlock = 32;  // whose products fit the first cache

  // From here on weights and sums do not stay in the caches, and it pays to ask for them early:
  // weights some slices ahead, sums while scoring, and the rows of the next tile, which may be
  // anywhere.
  static constexpr std::int64_t kFarFeatures = 1 << 18;
  static constexpr std::size_t kSlicesAhead = 4;

  // Every row's chain of fma: the chunks that are complete, and the open one.
  struct Chains {
    Float total[kGroups];
    Float open[kGroups];

    Chains() {
      for (Float& sum : total) sum = Ops::set(0.0f);
      for (Float& sum : open) sum = Ops::set(0.0f);
    }
    void close_chunk() {
      for (std::size_t g = 0; g < kGroups; ++g) {
        total[g] = Ops::add(total[g], open[g]);
        open[g] = Ops::set(0.0f);
      }
    }
  };

  std::size_t slice_count(std::size_t tile) const {
    return static_cast<std::size_t>(tiles_.slice_start[tile + 1] - tiles_.slice_start[tile]);
  }
  std::size_t first_slot(std::size_t tile) const {
    return static_cast<std::size_t>(tiles_.slice_start[tile]) * kRows;
  }

  OSSAU_INLINE Float longer_chain(std::size_t slot, const float* weights, Float chain) const {
    const Float weight = Ops::gather(weights, index_ + slot);
    // fma(1, w, chain) rounds the same sum.
    if constexpr (kOnes) return Ops::add(weight, chain);
    return Ops::fma(Ops::load(value_ + slot), weight, chain);
  }

  // Slots start slices: the one that is being scored, and one of the next tile.
  template <std::size_t kSides>
  OSSAU_INLINE void fetch(std::size_t slot, std::size_t next_slot, const float* weights,
                          const std::int64_t* sums) const {
    const std::uint32_t* here = index_ + slot;
    const std::uint32_t* later = index_ + std::min(slot + kSlicesAhead * kRows, last_slice_);
    for (std::size_t i = 0; i < kRows; ++i) {
      __builtin_prefetch(weights + later[i], 0);
      __builtin_prefetch(sums + here[i] * kSides, 1);
    }
    const std::size_t next = std::min(next_slot, last_slice_);
    for (std::size_t i = 0; i < kRows; i += Lines::kFloats) {
      __builtin_prefetch(index_ + next + i, 0);
      if constexpr (!kOnes) __builtin_prefetch(value_ + next + i, 0);
    }
  }

  void finish(std::size_t tile, Chains& chains, const ScoringWeights& weights,
              float* scores) const {
    if (tiles_.spill_start[tile] < tiles_.spill_start[tile + 1]) {
      alignas(kAlignment) float total[kRows];
      alignas(kAlignment) float open[kRows];
      for (std::size_t g = 0; g < kGroups; ++g) {
        Ops::store(chains.total[g], total + g * kLanes);
        Ops::store(chains.open[g], open + g * kLanes);
      }
      add_spill(tile, weights, total, open);
      for (std::size_t g = 0; g < kGroups; ++g) {
        chains.total[g] = Ops::load(total + g * kLanes);
        chains.open[g] = Ops::load(open + g * kLanes);
      }
    }
    chains.close_chunk();
    finish_scores<Ops>(chains.total, weights, scores);
  }

  // Continues the chains of rows longer than their tile's slices.
  void add_spill(std::size_t tile, const ScoringWeights& weights, float* total, float* open) const {
    const std::size_t slices = slice_count(tile);
    const auto begin = static_cast<std::size_t>(tiles_.spill_start[tile]);
    const auto end = static_cast<std::size_t>(tiles_.spill_start[tile + 1]);
    std::size_t k = slices;
    for (std::size_t entry = begin; entry < end; ++entry, ++k) {
      const std::size_t row = tiles_.spill_row[entry];
      if (entry == begin || tiles_.spill_row[entry - 1] != row) k = slices;
      if (k > 0 && k % kScoreChunk == 0) {
        total[row] += open[row];
        open[row] = 0.0f;
      }
      const float x = kOnes ? 1.0f : tiles_.spill_value[entry];
      open[row] = ScalarOps::fma(x, weights.values[tiles_.spill_index[entry]], open[row]);
    }
  }

  // Products in fixed point, [sides, slices, 64]; an implicit one's is the coefficient itself, the
  // same in every slice.
  template <std::size_t kSides>
  struct Products {
    static constexpr std::size_t kSize = (kOnes ? 1 : kSliceBlock / kSides) * kRows;
    alignas(kAlignment) std::int64_t fixed[kSides][kSize];
  };

  template <class Rows, std::size_t k = 0>
  OSSAU_INLINE void multiply(std::size_t slot, std::size_t count, const float* coefficients,
                             double fixed_scale, Products<Rows::kSides>& products) const {
    constexpr RightSide kSide = Rows::side(k);
    const auto value = [&](std::size_t i) OSSAU_INLINE_LAMBDA {
      const Float x = Ops::load(value_ + slot + i);
      return kSide.squared ? Ops::multiply(x, x) : x;
    };
    for (std::size_t i = 0; i < count; i += kLanes) {
      const Float r = Ops::load(coefficients + kSide.coefficient * kBlockRows + i % kRows);
      Ops::store_fixed(products.fixed[k] + i, kOnes ? r : Ops::multiply(r, value(i)), fixed_scale);
    }
    if constexpr (k + 1 < Rows::kSides) {
      multiply<Rows, k + 1>(slot, count, coefficients, fixed_scale, products);
    }
  }

  // Slices [begin, end) of a tile.  Row by row: the same feature, hot as it may be, comes again
  // only in the next row, so that no addition waits for the one before it.
  template <class Rows, class Sums>
  void add_slices(std::size_t tile, std::size_t begin, std::size_t end, const float* coefficients,
                  double fixed_scale, Sums& to) const {
    Sums sums = to;  // a copy of its own can stay in registers
    Products<Rows::kSides> products;
    const std::size_t slot = first_slot(tile) + begin * kRows;
    multiply<Rows>(slot, (kOnes ? 1 : end - begin) * kRows, coefficients, fixed_scale, products);
    const std::uint32_t* length = tiles_.length.data() + tile * kRows;
    for (std::size_t row = 0; row < kRows; ++row) {
      const std::size_t entries = std::min<std::size_t>(length[row], end);
      if (entries > begin) add_row(index_ + slot + row, products, row, entries - begin, sums);
    }
    to = sums;
  }

  // One row's entries, in every 64th place.
  template <std::size_t kSides, class Sums>
  OSSAU_INLINE static void add_row(const std::uint32_t* index, const Products<kSides>& products,
                                   std::size_t row, std::size_t entries, Sums& sums) {
    std::int64_t first[kSides];
    for (std::size_t s = 0; s < kSides; ++s) first[s] = products.fixed[s][row];
    const auto add = [&](std::size_t k) OSSAU_INLINE_LAMBDA {
      std::int64_t fixed[kSides];
      for (std::size_t s = 0; s < kSides; ++s) {
        fixed[s] = kOnes ? first[s] : products.fixed[s][k * kRows + row];
      }
      sums.add(index[k * kRows], fixed);
    };
    std::size_t k = 0;
    for (; k + 4 <= entries; k += 4) {
      add(k);
      add(k + 1);
      add(k + 2);
      add(k + 3);
    }
    for (; k < entries; ++k) add(k);
  }

  const SparseTiles& tiles_;
  // Of tiles_; as members of a const object known not to change while sums are written.
  const std::uint32_t* index_;
  const float* value_;
  std::size_t last_slice_;  // its first slot
  bool far_;
};
