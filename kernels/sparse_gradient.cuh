#pragma once

#include "row_stage.cuh"

// Gradients of sparse rows, a warp a tile: indices are loaded in order, weights are gathered
// through the caches, products are added to 64-bit integers in global memory.
//
// Features that come often would make all blocks add to few addresses, one after the other.  Each
// block keeps their weights and sums in its shared memory, and adds its sums up in the end.

namespace ossau::device {

/// A 64-bit sum in shared memory, as two halves: there is no instruction that adds to 64 bits
/// there. The carry belongs to the addition that makes the lower half wrap; all is modulo 2^64,
/// like every sum.
struct SplitSum {
  unsigned low;
  unsigned high;

  __device__ __forceinline__ void add(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    const auto low_part = static_cast<unsigned>(bits);
    const unsigned before = atomicAdd(&low, low_part);
    const unsigned carry = before + low_part < low_part ? 1u : 0u;
    const unsigned high_part = static_cast<unsigned>(bits >> 32) + carry;
    if (high_part != 0) atomicAdd(&high, high_part);
  }
  __device__ __forceinline__ std::int64_t value() const {
    return static_cast<std::int64_t>(std::uint64_t{high} << 32 | low);
  }
};

/// Shared memory of a block, in this order.
struct HotShared {
  SplitSum* sums;  // [runs, hot_count]
  float* weights;  // [hot_count]

  __device__ __forceinline__ HotShared(unsigned char* memory, int hot_count, int runs)
      : sums(reinterpret_cast<SplitSum*>(memory)),
        weights(reinterpret_cast<float*>(sums + runs * hot_count)) {}

  static OSSAU_HOST_DEVICE int bytes(int hot_count, int runs) {
    return hot_count *
           (runs * static_cast<int>(sizeof(SplitSum)) + static_cast<int>(sizeof(float)));
  }
};

/// kOnes: every stored value is an implicit one.  kLists: features whose sum leaves 0 are listed.
template <class Stage, bool kOnes, bool kLists>
class SparseWarp {
 public:
  __device__ __forceinline__ SparseWarp(const SparseRows& rows, const GradientPass& pass,
                                        const TouchedList& touched, int parts)
      : rows_(rows),
        pass_(pass),
        touched_(touched),
        slices_(slices_of(pass.list)),
        team_((blockIdx.x * (blockDim.x / kWarp) + threadIdx.x / kWarp) /
              static_cast<unsigned>(parts)),
        part_(static_cast<int>(threadIdx.x / kWarp % static_cast<unsigned>(parts))),
        parts_(parts),
        score_end_(pass.scalars),
        hot_(shared_memory(), rows.hot_count, kRuns) {}

  __device__ __forceinline__ void run() {
    start_hot();
    const unsigned teams = gridDim.x * (blockDim.x / kWarp) / static_cast<unsigned>(parts_);
    for (std::int64_t i = team_; i < slices_.count; i += teams) take_tile(i);
    if (part_ == 0) flush_totals(totals_, rows_.features, pass_.sums);
    flush_hot();
  }

 private:
  static constexpr int kRuns = Stage::kRuns;
  static_assert(!kLists || kRuns == 1);

  static constexpr int kAtOnce = 8;  // slices under way before the first is waited for

  // A lane's two rows: their entries, slice by slice, then spilled ones one after the other.
  struct Tile {
    std::int64_t first_slot = 0;  // of row 0
    std::int64_t slices = 0;
    std::int64_t spill_low = 0;  // where a row's spilled entries begin
    std::int64_t spill_high = 0;
    std::int64_t length_low = 0;
    std::int64_t length_high = 0;
  };

  __device__ __forceinline__ void take_tile(std::int64_t i) {
    const TileSlice slice = slices_.first[i];
    const std::int64_t place = slice.tile - rows_.first_tile;
    const Tile tile = look_up(place);
    const RowPair weight = row_pair(rows_.signed_weight + place * kTileRows);
    const RowPair score = score_end_(score_tile(tile));
    if (part_ == 0 && pass_.scores != nullptr) keep_scores(score, pass_.scores + i * kTileRows);
    RowPair rows[kRuns];
    Stage::run(pass_, {score, weight, slice, i}, rows, totals_);
    add_gradient(tile, rows);
  }

  __device__ __forceinline__ Tile look_up(std::int64_t place) const {
    const unsigned lane = lane_of_thread();
    Tile tile;
    tile.first_slot = rows_.slice_start[place] * kTileRows;
    tile.slices = rows_.slice_start[place + 1] - rows_.slice_start[place];
    tile.length_low = rows_.length[place * kTileRows + lane];
    tile.length_high = rows_.length[place * kTileRows + lane + 32];
    const std::int64_t first_spill = rows_.spill_start[place];
    if (first_spill == rows_.spill_start[place + 1]) return tile;
    // Spilled entries lie row after row: those of rows 0 to 31, then of 32 to 63.
    const std::int64_t low = spilled(tile.length_low, tile.slices);
    const std::int64_t high = spilled(tile.length_high, tile.slices);
    const std::int64_t low_end = sum_up_to_lane(low);
    const std::int64_t all_low = __shfl_sync(kEveryLane, low_end, kWarp - 1);
    tile.spill_low = first_spill + low_end - low;
    tile.spill_high = first_spill + all_low + sum_up_to_lane(high) - high;
    return tile;
  }

  static __device__ __forceinline__ std::int64_t spilled(std::int64_t length, std::int64_t slices) {
    return length > slices ? length - slices : 0;
  }

  static __device__ __forceinline__ std::int64_t sum_up_to_lane(std::int64_t value) {
    const unsigned lane = lane_of_thread();
#pragma unroll
    for (unsigned o = 1; o < kWarp; o *= 2) {
      const std::int64_t before = __shfl_up_sync(kEveryLane, value, o);
      if (lane >= o) value += before;
    }
    return value;
  }

  // The chain of one row: the chunks that are complete, and the open one.
  struct Chain {
    float total = 0.0f;
    float open = 0.0f;

    __device__ void close() {
      total += open;
      open = 0.0f;
    }
    __device__ void add(float x, float w) { open = ScalarOps::fma(x, w, open); }
  };

  __device__ __forceinline__ float value(const float* values, std::int64_t at) const {
    if constexpr (kOnes) return 1.0f;
    return values[at];
  }

  __device__ __forceinline__ RowPair score_tile(const Tile& tile) const {
    Chain low;
    Chain high;
    // A chunk ends after a multiple of kAtOnce slices.
    for (std::int64_t k = 0; k < tile.slices; k += kAtOnce) {
      if (k > 0 && k % kScoreChunk == 0) {
        low.close();
        high.close();
      }
      score_slices(tile, k, low, high);
    }
    score_spill(tile.spill_low, tile.length_low, tile.slices, low);
    score_spill(tile.spill_high, tile.length_high, tile.slices, high);
    low.close();
    high.close();
    return {low.total, high.total};
  }

  // Of kAtOnce slices from k on: each slot's index and value, loaded all before the first is used.
  // Slots past a row's end hold 0; slots past the tile's last slice are not looked at.
  struct Slots {
    std::uint32_t index[2][kAtOnce];  // of rows l and l + 32
    float value[2][kAtOnce];
  };

  __device__ __forceinline__ Slots load_slots(const Tile& tile, std::int64_t k) const {
    const std::int64_t slot = tile.first_slot + k * kTileRows + lane_of_thread();
    Slots slots;
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const std::int64_t at = slot + i * kTileRows + half * 32;
        const bool here = k + i < tile.slices;
        slots.index[half][i] = here ? rows_.index[at] : 0;
        slots.value[half][i] = kOnes || !here ? 1.0f : rows_.value[at];
      }
    }
    return slots;
  }

  __device__ __forceinline__ void score_slices(const Tile& tile, std::int64_t k, Chain& low,
                                               Chain& high) const {
    const Slots slots = load_slots(tile, k);
    float w[2][kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      w[0][i] = weight_of(slots.index[0][i]);
      w[1][i] = weight_of(slots.index[1][i]);
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const bool here = k + i < tile.slices;
      if (here && k + i < tile.length_low) low.add(slots.value[0][i], w[0][i]);
      if (here && k + i < tile.length_high) high.add(slots.value[1][i], w[1][i]);
    }
  }

  // Chosen by address, not by a branch on what was just loaded.
  __device__ __forceinline__ float weight_of(std::uint32_t index) const {
    const bool hot = (index & kHotFeature) != 0;
    const float* from = hot ? hot_.weights + (index ^ kHotFeature) : pass_.weights + index;
    return *from;
  }

  __device__ __forceinline__ void score_spill(std::int64_t begin, std::int64_t length,
                                              std::int64_t slices, Chain& chain) const {
    for (std::int64_t k = slices; k < length; ++k) {
      if (k > 0 && k % kScoreChunk == 0) chain.close();
      const std::int64_t at = begin + k - slices;
      chain.add(value(rows_.spill_value, at), weight_of(rows_.spill_index[at]));
    }
  }

  // The loops take as many turns in every lane: listing is the work of the whole warp.
  __device__ __forceinline__ void add_gradient(const Tile& tile,
                                               const RowPair (&rows)[kRuns]) const {
    float low[kRuns];
    float high[kRuns];
#pragma unroll
    for (int run = 0; run < kRuns; ++run) {
      low[run] = rows[run].low;
      high[run] = rows[run].high;
    }
    for (std::int64_t k = part_ * kAtOnce; k < tile.slices; k += parts_ * kAtOnce) {
      add_slices(tile, k, low, high);
    }
    if (part_ != 0) return;
    add_spill(tile.spill_low, spilled(tile.length_low, tile.slices), low);
    add_spill(tile.spill_high, spilled(tile.length_high, tile.slices), high);
  }

  __device__ __forceinline__ void add_slices(const Tile& tile, std::int64_t k,
                                             const float (&low)[kRuns],
                                             const float (&high)[kRuns]) const {
    const Slots slots = load_slots(tile, k);
    std::uint32_t leaving[2][kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      const bool here = k + i < tile.slices;
      leaving[0][i] =
          add_entry(here && k + i < tile.length_low, slots.index[0][i], slots.value[0][i], low);
      leaving[1][i] =
          add_entry(here && k + i < tile.length_high, slots.index[1][i], slots.value[1][i], high);
    }
    if constexpr (kLists) {
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        list(leaving[0][i]);
        list(leaving[1][i]);
      }
    }
  }

  __device__ __forceinline__ void add_spill(std::int64_t begin, std::int64_t count,
                                            const float (&row)[kRuns]) const {
    for (std::int64_t k = 0; __any_sync(kEveryLane, k < count); ++k) {
      const bool present = k < count;
      const std::uint32_t leaving =
          add_entry(present, present ? rows_.spill_index[begin + k] : 0,
                    present ? value(rows_.spill_value, begin + k) : 1.0f, row);
      if constexpr (kLists) list(leaving);
    }
  }

  static constexpr std::uint32_t kNone = 0xffffffffu;

  // Adds an entry to all runs of sums.  Returns the feature where its first sum was 0 before
  // something else was added, or none.
  __device__ __forceinline__ std::uint32_t add_entry(bool present, std::uint32_t feature, float x,
                                                     const float (&row)[kRuns]) const {
    std::uint32_t leaving = kNone;
#pragma unroll
    for (int run = 0; run < kRuns; ++run) {
      const bool squared = run > 0 && run + 1 == kRuns && pass_.solver.squares;
      const float times = squared ? x * x : x;
      const std::int64_t fixed = to_fixed(kOnes ? row[run] : row[run] * times, pass_.fixed_scale);
      const std::uint32_t left = add_fixed(run, present, feature, fixed);
      if (run == 0) leaving = left;
    }
    return leaving;
  }

  __device__ __forceinline__ std::uint32_t add_fixed(int run, bool present, std::uint32_t feature,
                                                     std::int64_t fixed) const {
    if (!present || fixed == 0) return kNone;
    if ((feature & kHotFeature) != 0) {
      hot_.sums[run * rows_.hot_count + static_cast<int>(feature - kHotFeature)].add(fixed);
      return kNone;
    }
    return add_feature(run, feature, fixed);
  }

  __device__ __forceinline__ std::uint32_t add_feature(int run, std::uint32_t feature,
                                                       std::int64_t fixed) const {
    auto* sum =
        reinterpret_cast<unsigned long long*>(pass_.sums + run * (rows_.features + 1) + feature);
    const unsigned long long before = atomicAdd(sum, static_cast<unsigned long long>(fixed));
    if constexpr (kLists) return before == 0 ? feature : kNone;
    return kNone;
  }

  __device__ __forceinline__ void start_hot() const {
    if (rows_.hot_count == 0) return;
    for (unsigned i = threadIdx.x; i < static_cast<unsigned>(rows_.hot_count); i += blockDim.x) {
#pragma unroll
      for (int run = 0; run < kRuns; ++run) hot_.sums[run * rows_.hot_count + i] = {0, 0};
      hot_.weights[i] = pass_.weights[rows_.hot[i]];
    }
    __syncthreads();
  }

  __device__ __forceinline__ void flush_hot() const {
    if (rows_.hot_count == 0) return;
    __syncthreads();
    const auto count = static_cast<unsigned>(rows_.hot_count);
    // As many turns in every lane: listing is the work of the whole warp.
    for (unsigned first = threadIdx.x / kWarp * kWarp; first < count; first += blockDim.x) {
      const unsigned i = first + lane_of_thread();
#pragma unroll
      for (int run = 0; run < kRuns; ++run) {
        const std::int64_t sum = i < count ? hot_.sums[run * rows_.hot_count + i].value() : 0;
        const std::uint32_t leaving = sum != 0 ? add_feature(run, rows_.hot[i], sum) : kNone;
        if constexpr (kLists) list(leaving);
      }
    }
  }

  // By all lanes together.
  __device__ __forceinline__ void list(std::uint32_t feature) const {
    const unsigned listing = __ballot_sync(kEveryLane, feature != kNone);
    if (listing == 0) return;
    const unsigned lane = lane_of_thread();
    unsigned first = 0;
    if (lane == 0) first = atomicAdd(touched_.count, static_cast<unsigned>(__popc(listing)));
    first = __shfl_sync(kEveryLane, first, 0);
    const unsigned at = first + static_cast<unsigned>(__popc(listing & ((1u << lane) - 1u)));
    if (feature != kNone && at < touched_.capacity) touched_.features[at] = feature;
  }

  const SparseRows& rows_;
  const GradientPass& pass_;
  const TouchedList& touched_;
  Slices slices_;
  unsigned team_;  // of the warps that share a tile's gradient; each scores all of it
  int part_;       // which of them
  int parts_;
  ScoreEnd score_end_;
  HotShared hot_;
  RunTotals<kRuns> totals_;
};

inline constexpr int kSparseThreads = 256;

template <class Stage, bool kOnes, bool kLists>
__global__ void __launch_bounds__(kSparseThreads, 2)
    sparse_gradient_kernel(const __grid_constant__ SparseRows rows,
                           const __grid_constant__ GradientPass pass,
                           const __grid_constant__ TouchedList touched, int parts) {
  SparseWarp<Stage, kOnes, kLists>(rows, pass, touched, parts).run();
}

}  // namespace ossau::device
