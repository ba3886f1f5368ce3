#pragma once

#include "column_groups.cuh"

// Gradients of dense rows wider than a block's shared memory.
//
// A tile is scored chunk by chunk (256 columns, one chain each) by whichever warps are free; the
// last to arrive adds the chunks in order and makes the residuals.  Its gradient reads the chunks
// again, soon enough that the second cache still has them: slices are taken in windows, and the
// gradients of one window mix with the scores of the next.
//
// Work is handed out by tickets in one order.  A gradient waits only for scores with smaller
// tickets, and a warp takes its tickets in ascending order, so the smallest unfinished ticket never
// waits: no block needs another one to be on the device at the same time.

namespace ossau::device {

/// How wide rows are cut; the host computes it.
struct WideShape {
  unsigned window = 1;  // slices of a window
  int chunks = 0;       // of a tile
  int slots = 0;        // of a warp's ring, each a group of 32 columns
  int warps = 0;        // of a block
};

inline constexpr int kWideChunkGroups = static_cast<int>(kScoreChunk) / kGroupColumns;
inline constexpr int kGroupBytes =
    kGroupColumns * static_cast<int>(kTileRows) * static_cast<int>(sizeof(float));
// Items that a warp may have begun to copy: a ring of few slots, items of at least one group.
inline constexpr int kItemsAhead = 8;

/// One chunk of one tile, to be scored or to be added up.
struct WideItem {
  std::int64_t slice = -1;  // none: the work is done
  int chunk = 0;
  bool scores = false;
};

/// Shared memory of a warp, in this order.
struct WideShared {
  unsigned char* ring;   // [slots, kGroupBytes]
  float* weights;        // [256]: of the chunk that is being scored
  WideItem* items;       // [kItemsAhead]: begun and not done
  CopyBarrier* arrival;  // [slots]

  __device__ __forceinline__ WideShared(unsigned char* memory, const WideShape& shape, int warp)
      : ring(memory + warp * bytes(shape)),
        weights(reinterpret_cast<float*>(ring + shape.slots * kGroupBytes)),
        items(reinterpret_cast<WideItem*>(weights + kScoreChunk)),
        arrival(reinterpret_cast<CopyBarrier*>(items + kItemsAhead)) {}

  static OSSAU_HOST_DEVICE int bytes(const WideShape& shape) {
    const int used = shape.slots * (kGroupBytes + static_cast<int>(sizeof(CopyBarrier))) +
                     static_cast<int>(kScoreChunk * sizeof(float)) +
                     kItemsAhead * static_cast<int>(sizeof(WideItem));
    return (used + 127) / 128 * 128;
  }
};

/// The order of all work: the scores of window 0; then for each window q the scores of q + 1, item
/// by item in turns with the gradients of q.  (32 bits: their division is no call.)
class WideOrder {
 public:
  __device__ __forceinline__ WideOrder(std::int64_t slices, const WideShape& shape)
      : slices_(slices),
        window_(shape.window),
        chunks_(static_cast<unsigned>(shape.chunks)),
        phase_(window_ * chunks_),
        windows_((static_cast<unsigned>(slices) + window_ - 1) / window_) {}

  __device__ __forceinline__ unsigned tickets() const {
    return windows_ == 0 ? 0 : phase_ * (1 + 2 * windows_);
  }

  /// The item of a ticket; its slice may lie beyond the last, where a window is not full.
  __device__ __forceinline__ WideItem operator()(unsigned ticket) const {
    if (ticket < phase_) return item(0, ticket, true);
    const unsigned after = ticket - phase_;
    const unsigned q = after / (2 * phase_);
    const unsigned in_pair = after % (2 * phase_);
    const bool scores = in_pair % 2 == 0;
    return item(scores ? q + 1 : q, in_pair / 2, scores);
  }
  __device__ __forceinline__ bool exists(const WideItem& item) const {
    return item.slice < slices_;
  }

 private:
  __device__ __forceinline__ WideItem item(unsigned window, unsigned number, bool scores) const {
    return {static_cast<std::int64_t>(window * window_ + number / chunks_),
            static_cast<int>(number % chunks_), scores};
  }

  std::int64_t slices_;
  unsigned window_;
  unsigned chunks_;
  unsigned phase_;  // items of a window
  unsigned windows_;
};

/// One warp's work on wide rows.
template <class Stage>
class WideWarp {
 public:
  __device__ __forceinline__ WideWarp(const DenseRows& rows, const GradientPass& pass,
                                      const WideScratch& scratch, const WideShape& shape)
      : rows_(rows),
        pass_(pass),
        scratch_(scratch),
        shape_(shape),
        shared_(shared_memory(), shape, static_cast<int>(threadIdx.x / kWarp)),
        slices_(slices_of(pass.list)),
        order_(slices_.count, shape) {}

  __device__ __forceinline__ void run() {
    if (lane_of_thread() == 0) {
      for (int s = 0; s < shape_.slots; ++s) start(shared_.arrival + s);
    }
    __syncwarp();
    for (int s = 0; s < shape_.slots; ++s) fetch_next();
    while (begun_ > done_) {
      const WideItem item = shared_.items[done_ % kItemsAhead];
      item.scores ? score(item) : add_gradient(item);
      ++done_;
    }
    flush_totals(totals_, rows_.features, pass_.sums);
  }

 private:
  static constexpr int kRuns = Stage::kRuns;

  __device__ __forceinline__ std::int64_t tile(const WideItem& item) const {
    return slices_.first[item.slice].tile - rows_.first_tile;
  }
  __device__ __forceinline__ int first_column(const WideItem& item, int group) const {
    return item.chunk * static_cast<int>(kScoreChunk) + group * kGroupColumns;
  }
  __device__ __forceinline__ int groups_of(const WideItem& item) const {
    const int left = static_cast<int>(rows_.features) - first_column(item, 0);
    const int groups = (left + kGroupColumns - 1) / kGroupColumns;
    return groups < kWideChunkGroups ? groups : kWideChunkGroups;
  }
  __device__ __forceinline__ int columns_of(const WideItem& item, int group) const {
    const int left = static_cast<int>(rows_.features) - first_column(item, group);
    return left < kGroupColumns ? left : kGroupColumns;
  }
  __device__ __forceinline__ float* slot(std::uint32_t number) const {
    return reinterpret_cast<float*>(shared_.ring +
                                    number % static_cast<unsigned>(shape_.slots) * kGroupBytes);
  }

  // The next ticket whose item exists; none at the end.
  __device__ __forceinline__ WideItem take_ticket() const {
    for (;;) {
      unsigned ticket = 0;
      if (lane_of_thread() == 0) ticket = atomicAdd(scratch_.ticket, 1u);
      ticket = __shfl_sync(kEveryLane, ticket, 0);
      if (ticket >= order_.tickets()) return {};
      const WideItem item = order_(ticket);
      if (order_.exists(item)) return item;
    }
  }

  // Begins the copy of the group after those that were begun, in a slot that is free.
  __device__ __forceinline__ void fetch_next() {
    if (ended_) return;
    if (ahead_group_ == ahead_groups_) {
      ahead_ = take_ticket();
      if (ahead_.slice < 0) {
        ended_ = true;
        return;
      }
      if (lane_of_thread() == 0) shared_.items[begun_ % kItemsAhead] = ahead_;
      __syncwarp();
      ++begun_;
      ahead_group_ = 0;
      ahead_groups_ = groups_of(ahead_);
    }
    const float* from =
        rows_.values +
        (tile(ahead_) * rows_.features + first_column(ahead_, ahead_group_)) * kTileRows;
    const auto bytes =
        static_cast<std::uint32_t>(columns_of(ahead_, ahead_group_) * kTileRows * sizeof(float));
    begin_copy(slot(fetched_), from, bytes,
               shared_.arrival + fetched_ % static_cast<unsigned>(shape_.slots));
    ++fetched_;
    ++ahead_group_;
  }

  // Waits for the next group to arrive and returns it.
  __device__ __forceinline__ const float* await_group() const {
    await_copy(shared_.arrival + used_ % static_cast<unsigned>(shape_.slots),
               used_ / static_cast<unsigned>(shape_.slots) & 1u);
    return slot(used_);
  }
  __device__ __forceinline__ void release_group() {
    fence_proxy_async();
    __syncwarp();  // every lane has read the slot
    ++used_;
    fetch_next();
  }

  __device__ __forceinline__ void score(const WideItem& item) {
    for (auto j = static_cast<int>(lane_of_thread()); j < static_cast<int>(kScoreChunk);
         j += static_cast<int>(kWarp)) {
      const int column = first_column(item, 0) + j;
      shared_.weights[j] = column < rows_.features ? pass_.weights[column] : 0.0f;
    }
    __syncwarp();
    RowPair chain = {0.0f, 0.0f};
    const int groups = groups_of(item);
    for (int group = 0; group < groups; ++group) {
      const float* x = await_group();
      score_group(x, shared_.weights + group * kGroupColumns, columns_of(item, group), chain);
      release_group();
    }
    float* partial =
        scratch_.partial + (item.slice * shape_.chunks + item.chunk) * kTileRows + lane_of_thread();
    partial[0] = chain.low;
    partial[32] = chain.high;
    if (arrives_last(item)) finish_tile(item);
  }

  // Whether every other chunk of the tile has been scored.
  __device__ __forceinline__ bool arrives_last(const WideItem& item) const {
    __threadfence();
    __syncwarp();
    unsigned before = 0;
    if (lane_of_thread() == 0) before = atomicAdd(scratch_.arrived + item.slice, 1u);
    before = __shfl_sync(kEveryLane, before, 0);
    __threadfence();
    return before + 1 == static_cast<unsigned>(shape_.chunks);
  }

  // From the chunks' sums, in order, to residuals that the gradients wait for.
  __device__ __forceinline__ void finish_tile(const WideItem& item) {
    const float* partial =
        scratch_.partial + item.slice * shape_.chunks * kTileRows + lane_of_thread();
    RowPair total = {0.0f, 0.0f};
    for (int c = 0; c < shape_.chunks; ++c) {
      total.low += load_fresh(partial + c * kTileRows);
      total.high += load_fresh(partial + c * kTileRows + 32);
    }
    const RowPair score = ScoreEnd(pass_.scalars)(total);
    if (pass_.scores != nullptr) keep_scores(score, pass_.scores + item.slice * kTileRows);
    RowPair rows[kRuns];
    Stage::run(pass_,
               {score, row_pair(rows_.signed_weight + tile(item) * kTileRows),
                slices_.first[item.slice], item.slice},
               rows, totals_);
    float* to = scratch_.residual + item.slice * kRuns * kTileRows + lane_of_thread();
#pragma unroll
    for (int run = 0; run < kRuns; ++run) {
      to[run * kTileRows] = rows[run].low;
      to[run * kTileRows + 32] = rows[run].high;
    }
    __threadfence();
    __syncwarp();
    if (lane_of_thread() == 0) atomicExch(scratch_.ready + item.slice, 1u);
  }

  __device__ __forceinline__ void await_rows(const WideItem& item, RowPair (&rows)[kRuns]) const {
    while (load_fresh(scratch_.ready + item.slice) == 0) wait_a_little();
    __threadfence();
    const float* from = scratch_.residual + item.slice * kRuns * kTileRows + lane_of_thread();
#pragma unroll
    for (int run = 0; run < kRuns; ++run) {
      rows[run] = {load_fresh(from + run * kTileRows), load_fresh(from + run * kTileRows + 32)};
    }
  }

  __device__ __forceinline__ void add_gradient(const WideItem& item) {
    RowPair rows[kRuns];
    await_rows(item, rows);
    const int groups = groups_of(item);
    for (int group = 0; group < groups; ++group) {
      const int columns = columns_of(item, group);
      const float* x = await_group();
      std::int64_t* to = pass_.sums + first_column(item, group) + lane_of_thread();
#pragma unroll
      for (int run = 0; run < kRuns; ++run) {
        const std::int64_t sum =
            sum_group<kRuns == 1>(x, rows[run], columns, pass_.fixed_scale,
                                  run > 0 && run + 1 == kRuns && pass_.solver.squares);
        if (run + 1 == kRuns) release_group();
        if (static_cast<int>(lane_of_thread()) < columns) {
          add_to(to + run * (rows_.features + 1), sum);
        }
      }
    }
  }

  const DenseRows& rows_;
  const GradientPass& pass_;
  const WideScratch& scratch_;
  const WideShape& shape_;
  WideShared shared_;
  Slices slices_;
  WideOrder order_;
  unsigned begun_ = 0;
  unsigned done_ = 0;
  WideItem ahead_;  // the item whose groups are being fetched
  int ahead_group_ = 0;
  int ahead_groups_ = 0;
  std::uint32_t fetched_ = 0;  // groups, of all items
  std::uint32_t used_ = 0;
  bool ended_ = false;
  RunTotals<kRuns> totals_;
};

// One block: no more fit beside its shared memory, so that registers need not be saved.
template <class Stage, int kThreads>
__global__ void __launch_bounds__(kThreads, 1)
    wide_gradient_kernel(const __grid_constant__ DenseRows rows,
                         const __grid_constant__ GradientPass pass,
                         const __grid_constant__ WideScratch scratch,
                         const __grid_constant__ WideShape shape) {
  WideWarp<Stage>(rows, pass, scratch, shape).run();
}

}  // namespace ossau::device
