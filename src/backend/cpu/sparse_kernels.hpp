// Sparse tiles, for any kind of lane; included like tile_kernels.hpp.

template <class Ops>
class SparseKernels {
 public:
  using Float = typename Ops::Float;
  using Mask = typename Ops::Mask;
  static constexpr std::size_t kRows = kTileRows;
  static constexpr std::size_t kLanes = Ops::kLanes;
  static constexpr std::size_t kGroups = kRows / kLanes;

  SparseKernels(const SparseTiles& tiles, std::int64_t /*features*/) : tiles_(tiles) {}

  std::size_t block() const { return 1; }

  void scores(std::size_t tile, const ScoringWeights& weights, float* scores) const {
    const auto first = static_cast<std::size_t>(tiles_.slice_start[tile]);
    const auto slices = static_cast<std::size_t>(tiles_.slice_start[tile + 1]) - first;
    const std::uint32_t* length = tiles_.length.data() + tile * kRows;
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
        const Float weight = Ops::gather(weights.values, tiles_.index.data() + slot);
        const Float x =
            tiles_.implicit_ones() ? Ops::set(1.0f) : Ops::load(tiles_.value.data() + slot);
        const Mask present = Ops::longer_than(length + g * kLanes, k);
        sum = Ops::select(present, Ops::fma(x, weight, sum), sum);
      }
      Ops::store(row_total, total + g * kLanes);
      Ops::store(sum, open + g * kLanes);
    }
    add_spill_scores(tile, slices, weights, total, open);
    Float sums[kGroups];
    for (std::size_t g = 0; g < kGroups; ++g) {
      sums[g] = Ops::add(Ops::load(total + g * kLanes), Ops::load(open + g * kLanes));
    }
    finish_scores<Ops>(sums, weights, scores);
  }

  void gradient(std::size_t tile, std::size_t /*next*/, const float* residuals, double fixed_scale,
                std::int64_t* sums) const {
    const auto first = static_cast<std::size_t>(tiles_.slice_start[tile]);
    const auto end = static_cast<std::size_t>(tiles_.slice_start[tile + 1]);
    const std::uint32_t* length = tiles_.length.data() + tile * kRows;
    for (std::size_t slice = first; slice < end; ++slice) {
      alignas(kAlignment) std::int64_t fixed[kRows] = {};
      for (std::size_t g = 0; g < kGroups; ++g) {
        const std::size_t slot = slice * kRows + g * kLanes;
        const Float r = Ops::load(residuals + g * kLanes);
        const Float product =
            tiles_.implicit_ones() ? r : Ops::multiply(r, Ops::load(tiles_.value.data() + slot));
        Ops::add_fixed(fixed + g * kLanes, product, fixed_scale);
      }
      const std::uint32_t* index = tiles_.index.data() + slice * kRows;
      for (std::size_t i = 0; i < kRows; ++i) {
        if (slice - first < length[i]) sums[index[i]] += fixed[i];
      }
    }
    const auto spill_end = static_cast<std::size_t>(tiles_.spill_start[tile + 1]);
    for (auto entry = static_cast<std::size_t>(tiles_.spill_start[tile]); entry < spill_end;
         ++entry) {
      const float r = residuals[tiles_.spill_row[entry]];
      const float product = tiles_.implicit_ones() ? r : r * tiles_.spill_value[entry];
      sums[tiles_.spill_index[entry]] += to_fixed(product, fixed_scale);
    }
  }

  Lines head(std::size_t) const { return {}; }

 private:
  // Continues the chains of rows longer than their tile's slices.
  void add_spill_scores(std::size_t tile, std::size_t slices, const ScoringWeights& weights,
                        float* total, float* open) const {
    const auto end = static_cast<std::size_t>(tiles_.spill_start[tile + 1]);
    std::size_t k = slices;
    for (auto entry = static_cast<std::size_t>(tiles_.spill_start[tile]); entry < end;
         ++entry, ++k) {
      const std::size_t row = tiles_.spill_row[entry];
      const bool new_row = entry == static_cast<std::size_t>(tiles_.spill_start[tile]) ||
                           tiles_.spill_row[entry - 1] != row;
      if (new_row) k = slices;
      if (k > 0 && k % kScoreChunk == 0) {
        total[row] += open[row];
        open[row] = 0.0f;
      }
      const float x = tiles_.implicit_ones() ? 1.0f : tiles_.spill_value[entry];
      open[row] = ScalarOps::fma(x, weights.values[tiles_.spill_index[entry]], open[row]);
    }
  }

  const SparseTiles& tiles_;
};
