#pragma once

#include "column_groups.cuh"

// Gradients of dense rows that fit the shared memory of a block: every feature is read from device
// memory once.
//
// A block takes slices block, block + blocks, ...; their tiles, cut into groups of 32 columns,
// stream through a ring of slots.  A team of warps, one for each 256 columns (a chunk of the
// score's chain), takes a tile: scores while its groups arrive, losses, then gradients, freeing one
// slot after the other; whoever frees a slot asks at once for what comes into it next.  So copies
// are always under way and no warp does nothing else than copy.

namespace ossau::device {

/// How a block is laid out; the host computes it.
struct DenseShape {
  int features = 0;      // d
  int groups = 0;        // of 32 columns in a tile
  int chunks = 0;        // of 256 columns: warps of a team
  int teams = 0;         // of a block
  int slots = 0;         // of the ring, at least `groups`
  int slot_bytes = 0;    // 256 bytes a column, of min(d, 32) columns
  int shared_bytes = 0;  // of a block
};

inline constexpr int kChunkGroups = static_cast<int>(kScoreChunk) / kGroupColumns;

/// Shared memory of a block, in this order.
struct DenseShared {
  unsigned char* ring;   // [slots, slot_bytes]; in the end [warps, 256] sums
  float* weights;        // [groups, 32]
  float* partial;        // [2, teams, chunks, 64]; none for single chunks
  CopyBarrier* arrival;  // [slots]
  std::uint32_t* begun;  // [slots]: items that a slot has been asked for

  __device__ __forceinline__ DenseShared(unsigned char* memory, const DenseShape& shape)
      : ring(memory),
        weights(reinterpret_cast<float*>(memory + shape.slots * shape.slot_bytes)),
        partial(weights + shape.groups * kGroupColumns),
        arrival(reinterpret_cast<CopyBarrier*>(partial + partial_floats(shape))),
        begun(reinterpret_cast<std::uint32_t*>(arrival + shape.slots)) {}

  static OSSAU_HOST_DEVICE int partial_floats(const DenseShape& shape) {
    return shape.chunks == 1 ? 0 : 2 * shape.teams * shape.chunks * static_cast<int>(kTileRows);
  }
  static OSSAU_HOST_DEVICE int bytes(const DenseShape& shape) {
    return shape.slots * shape.slot_bytes +
           (shape.groups * kGroupColumns + partial_floats(shape)) *
               static_cast<int>(sizeof(float)) +
           shape.slots * static_cast<int>(sizeof(CopyBarrier) + sizeof(std::uint32_t));
  }
};

/// One warp of a block's work on dense rows.  kMostGroups: that it may have of a chunk.
template <class Stage, int kMostGroups>
class DenseWarp {
 public:
  __device__ __forceinline__ DenseWarp(const DenseRows& rows, const GradientPass& pass,
                                       const DenseShape& shape)
      : rows_(rows),
        pass_(pass),
        shape_(shape),
        shared_(shared_memory(), shape),
        slices_(slices_of(pass.list)),
        score_end_(pass.scalars),
        mine_(slices_.count > blockIdx.x
                  ? static_cast<std::uint32_t>((slices_.count - blockIdx.x + gridDim.x - 1) /
                                               gridDim.x)
                  : 0),
        warp_(static_cast<int>(threadIdx.x / kWarp)),
        team_(warp_ / shape.chunks),
        chunk_(warp_ % shape.chunks),
        first_group_(chunk_ * kChunkGroups),
        end_group_(min_of(shape.groups, first_group_ + kChunkGroups)) {}

  __device__ __forceinline__ void run() {
    start_block();
    for (auto i = static_cast<std::uint32_t>(team_); i < mine_;
         i += static_cast<std::uint32_t>(shape_.teams)) {
      take_tile(i);
    }
    flush();
  }

 private:
  static constexpr int kRuns = Stage::kRuns;

  static __device__ __forceinline__ int min_of(int a, int b) { return a < b ? a : b; }

  __device__ __forceinline__ const TileSlice& slice(std::uint32_t i) const {
    return slices_.first[blockIdx.x + static_cast<std::int64_t>(i) * gridDim.x];
  }
  __device__ __forceinline__ std::int64_t place(std::uint32_t i) const {
    return slice(i).tile - rows_.first_tile;
  }
  __device__ __forceinline__ int columns_of(int group) const {
    return min_of(kGroupColumns, shape_.features - group * kGroupColumns);
  }
  __device__ __forceinline__ std::uint32_t item(std::uint32_t i, int group) const {
    return i * static_cast<std::uint32_t>(shape_.groups) + static_cast<std::uint32_t>(group);
  }
  __device__ __forceinline__ std::uint32_t slot_of(std::uint32_t item) const {
    return item % static_cast<std::uint32_t>(shape_.slots);
  }
  __device__ __forceinline__ float* slot(std::uint32_t item) const {
    return reinterpret_cast<float*>(shared_.ring +
                                    slot_of(item) * static_cast<std::uint32_t>(shape_.slot_bytes));
  }

  // Begins the copy of an item, group by group of tile by tile, into its slot; there may be none
  // left.
  __device__ __forceinline__ void fetch(std::uint32_t item) const {
    const std::uint32_t i = item / static_cast<std::uint32_t>(shape_.groups);
    if (i >= mine_) return;
    fetch(item, place(i));
  }
  __device__ __forceinline__ void fetch(std::uint32_t item, std::int64_t place) const {
    const int group = static_cast<int>(item % static_cast<std::uint32_t>(shape_.groups));
    const float* from =
        rows_.values + (place * shape_.features + group * kGroupColumns) * kTileRows;
    const auto bytes = static_cast<std::uint32_t>(columns_of(group) * kTileRows * sizeof(float));
    begin_copy(slot(item), from, bytes, shared_.arrival + slot_of(item));
    __threadfence_block();
    if (lane_of_thread() == 0) {
      shared_.begun[slot_of(item)] = item / static_cast<std::uint32_t>(shape_.slots) + 1;
    }
  }
  // A barrier tells one phase from the next, not from the one after: a slot that another team still
  // holds must not be taken for one that is full.
  __device__ __forceinline__ void await(std::uint32_t item) const {
    const std::uint32_t phase = item / static_cast<std::uint32_t>(shape_.slots);
    while (load_fresh(shared_.begun + slot_of(item)) <= phase) wait_a_little();
    await_copy(shared_.arrival + slot_of(item), phase & 1u);
  }

  __device__ __forceinline__ void start_block() const {
    const unsigned threads = blockDim.x;
    for (unsigned s = threadIdx.x; s < static_cast<unsigned>(shape_.slots); s += threads) {
      start(shared_.arrival + s);
      shared_.begun[s] = 0;
    }
    const auto padded = static_cast<unsigned>(shape_.groups * kGroupColumns);
    for (unsigned j = threadIdx.x; j < padded; j += threads) {
      shared_.weights[j] = j < static_cast<unsigned>(shape_.features) ? pass_.weights[j] : 0.0f;
    }
    __syncthreads();
    for (auto s = static_cast<std::uint32_t>(warp_); s < static_cast<std::uint32_t>(shape_.slots);
         s += threads / kWarp) {
      fetch(s);
    }
  }

  __device__ __forceinline__ void take_tile(std::uint32_t i) {
    const TileSlice here = slice(i);
    // What will be needed is looked up early.  The slots of this tile go to one or two later tiles.
    const std::uint32_t later = item(i, first_group_) + static_cast<std::uint32_t>(shape_.slots);
    const std::uint32_t next = later / static_cast<std::uint32_t>(shape_.groups);
    const std::int64_t next_place = next < mine_ ? place(next) : 0;
    const std::int64_t after_place = next + 1 < mine_ ? place(next + 1) : 0;

    const RowPair weight =
        row_pair(rows_.signed_weight + (here.tile - rows_.first_tile) * kTileRows);

    const RowPair score = score_end_(score_tile(i));
    const std::int64_t number = blockIdx.x + static_cast<std::int64_t>(i) * gridDim.x;
    if (chunk_ == 0 && pass_.scores != nullptr) {
      keep_scores(score, pass_.scores + number * kTileRows);
    }
    RunTotals<kRuns> totals;
    RowPair rows[kRuns];
    Stage::run(pass_, {score, weight, here, number}, rows, totals);
    if (chunk_ == 0) totals_.add(totals);

#pragma unroll
    for (int g = 0; g < kMostGroups; ++g) {
      const int group = first_group_ + g;
      if (group >= end_group_) break;
      const std::uint32_t at = item(i, group);
#pragma unroll
      for (int run = 0; run < kRuns; ++run) {
        sums_[run][g] +=
            sum_group<kRuns == 1>(slot(at), rows[run], columns_of(group), pass_.fixed_scale,
                                  run > 0 && run + 1 == kRuns && pass_.solver.squares);
      }
      fence_proxy_async();
      __syncwarp();  // every lane has read the slot
      const std::uint32_t new_item = at + static_cast<std::uint32_t>(shape_.slots);
      const std::uint32_t new_tile = new_item / static_cast<std::uint32_t>(shape_.groups);
      if (new_tile < mine_) fetch(new_item, new_tile == next ? next_place : after_place);
    }
  }

  // The sums of the chunks' chains, in order.
  __device__ __forceinline__ RowPair score_tile(std::uint32_t i) {
    RowPair chain = {0.0f, 0.0f};
    for (int group = first_group_; group < end_group_; ++group) {
      const std::uint32_t at = item(i, group);
      await(at);
      score_group(slot(at), shared_.weights + group * kGroupColumns, columns_of(group), chain);
    }
    if (shape_.chunks == 1) return {0.0f + chain.low, 0.0f + chain.high};
    return add_chunks(chain);
  }

  // Two buffers by turns: who writes one has passed a barrier after the last reading of it.
  __device__ __forceinline__ RowPair add_chunks(RowPair chain) {
    const int rows = static_cast<int>(kTileRows);
    float* of_team = shared_.partial + (turn_ * shape_.teams + team_) * shape_.chunks * rows;
    turn_ ^= 1;
    const unsigned lane = lane_of_thread();
    of_team[chunk_ * rows + static_cast<int>(lane)] = chain.low;
    of_team[chunk_ * rows + static_cast<int>(lane) + 32] = chain.high;
    team_barrier(1u + static_cast<unsigned>(team_), static_cast<unsigned>(shape_.chunks) * kWarp);
    RowPair total = {0.0f, 0.0f};
    for (int c = 0; c < shape_.chunks; ++c) {
      total.low += of_team[c * rows + static_cast<int>(lane)];
      total.high += of_team[c * rows + static_cast<int>(lane) + 32];
    }
    return total;
  }

  // Adds the warps' sums in shared memory, then the block's in global memory.
  __device__ __forceinline__ void flush() {
    if (chunk_ == 0) flush_totals(totals_, shape_.features, pass_.sums);
#pragma unroll
    for (int run = 0; run < kRuns; ++run) {
      __syncthreads();  // nobody reads the ring any more
      flush_run(sums_[run], pass_.sums + run * (shape_.features + 1));
    }
  }
  __device__ __forceinline__ void flush_run(const std::int64_t (&mine)[kMostGroups],
                                            std::int64_t* sums) const {
    auto* of_warps = reinterpret_cast<std::int64_t*>(shared_.ring);
#pragma unroll
    for (int g = 0; g < kMostGroups; ++g) {
      if (first_group_ + g < end_group_) {
        of_warps[(warp_ * kChunkGroups + g) * kGroupColumns + static_cast<int>(lane_of_thread())] =
            mine[g];
      }
    }
    __syncthreads();
    const int chunk_columns = static_cast<int>(kScoreChunk);
    for (int j = static_cast<int>(threadIdx.x); j < shape_.features;
         j += static_cast<int>(blockDim.x)) {
      std::int64_t sum = 0;
      for (int team = 0; team < shape_.teams; ++team) {
        const int warp = team * shape_.chunks + j / chunk_columns;
        sum += of_warps[warp * chunk_columns + j % chunk_columns];
      }
      add_to(sums + j, sum);
    }
  }

  const DenseRows& rows_;
  const GradientPass& pass_;
  const DenseShape& shape_;
  DenseShared shared_;
  Slices slices_;
  ScoreEnd score_end_;
  std::uint32_t mine_;  // slices of this block
  int warp_;
  int team_;
  int chunk_;
  int first_group_;  // of this warp's chunk
  int end_group_;
  int turn_ = 0;
  std::int64_t sums_[kRuns][kMostGroups] = {};  // of column 32 g + lane of the chunk
  RunTotals<kRuns> totals_;
};

// One block fits beside its shared memory; said only where several sums need the registers.
template <class Stage, int kThreads, int kMostGroups>
__global__ void __launch_bounds__(kThreads, Stage::kRuns > 1 ? 1 : 0)
    dense_gradient_kernel(const __grid_constant__ DenseRows rows,
                          const __grid_constant__ GradientPass pass,
                          const __grid_constant__ DenseShape shape) {
  DenseWarp<Stage, kMostGroups>(rows, pass, shape).run();
}

}  // namespace ossau::device
