#pragma once

#include "arith/epoch_order.hpp"
#include "warp.cuh"

// Batches on the device: which slices each step of a run visits (docs/batch_order.md).

namespace ossau::device {

inline constexpr int kSelectThreads = 256;

/// What selecting needs; steps are those of the epoch from `first_step` on.
struct Selection {
  EpochOrder order;
  const std::int64_t* last_round = nullptr;  // shards of the round that is not full, in order
  std::int64_t first_step = 0;
  std::int64_t steps = 0;
  std::int64_t owned_begin = 0;  // tiles of this rank
  std::int64_t owned_end = 0;
  std::int64_t stride = 0;  // slices kept for a step, enough for any batch
};

__device__ __forceinline__ std::int64_t tile_at(const Selection& selection, std::int64_t k) {
  const EpochOrder& order = selection.order;
  const std::int64_t round = k >> order.shard_bits;
  const std::int64_t i = k & (order.shards - 1);
  const std::int64_t shard =
      round < order.full_rounds ? order.shard_at(round, i) : selection.last_round[i];
  return order.tile_of_round(shard, round);
}

/// Fills slices [steps, stride] and counts [steps], which are 0 before.  Slices of a step come in
/// any order: their sums are integers.
static __global__ void __launch_bounds__(kSelectThreads)
    select_kernel(const __grid_constant__ Selection selection, TileSlice* slices,
                  std::int32_t* counts) {
  const EpochOrder& order = selection.order;
  const std::int64_t all = selection.steps * selection.stride;
  for (std::int64_t n = global_thread(); n < all; n += global_threads()) {
    const std::int64_t step = n / selection.stride;
    const std::int64_t begin = (selection.first_step + step) * order.batch_rows;
    const std::int64_t end = begin + order.rows_in_batch(selection.first_step + step);
    const std::int64_t k = order.place_of_row(begin) + n % selection.stride;
    if (k >= order.tiles() || order.first_row_at(k) >= end) continue;
    const std::int64_t tile = tile_at(selection, k);
    if (tile < selection.owned_begin || tile >= selection.owned_end) continue;
    const std::int64_t first = order.first_row_at(k);
    const std::int64_t present = order.rows_in_tile(tile);
    const std::int64_t at = step * selection.stride + atomicAdd(counts + step, 1);
    slices[at].tile = tile;
    slices[at].row_begin = static_cast<std::int32_t>(begin > first ? begin - first : 0);
    slices[at].row_end = static_cast<std::int32_t>(end - first < present ? end - first : present);
  }
}

}  // namespace ossau::device
