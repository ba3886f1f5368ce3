#pragma once

#include "arith/ranking_key.hpp"
#include "warp.cuh"

// What evaluation counts of the scores of all rows that are on a device.

namespace ossau::device {

inline constexpr int kCountThreads = 256;

/// Rows by class and prediction.  scores, signed_weight: [rows], row after row.
/// counts: [4], see PredictionCounts.
static __global__ void __launch_bounds__(kCountThreads)
    count_predictions_kernel(const float* scores, const float* signed_weight, std::int64_t rows,
                             double cut, std::int64_t* counts) {
  std::int64_t mine[4] = {0, 0, 0, 0};
  for (std::int64_t i = global_thread(); i < rows; i += global_threads()) {
    const bool positive = is_positive(signed_weight[i]);
    const bool predicted = static_cast<double>(scores[i]) >= cut;
    mine[0] += !positive && !predicted ? 1 : 0;
    mine[1] += !positive && predicted ? 1 : 0;
    mine[2] += positive && !predicted ? 1 : 0;
    mine[3] += positive && predicted ? 1 : 0;
  }
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    const std::int64_t sum = sum_over_lanes(mine[k]);
    if (lane_of_thread() == 0) add_to(counts + k, sum);
  }
}

// Ranking keys are signed; flipping the sign bit makes them sort as unsigned integers.
inline constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

/// keys: [rows].
static __global__ void __launch_bounds__(kCountThreads)
    ranking_keys_kernel(const float* scores, const float* signed_weight, std::int64_t rows,
                        std::uint64_t flip, std::uint64_t* keys) {
  for (std::int64_t i = global_thread(); i < rows; i += global_threads()) {
    const bool positive = is_positive(signed_weight[i]);
    keys[i] = static_cast<std::uint64_t>(ranking_key(scores[i], positive)) ^ flip;
  }
}

inline constexpr std::int64_t kPairBlock = 4096;  // keys whose negatives are counted together

/// Negatives in each block of keys.  negatives: [blocks].
static __global__ void __launch_bounds__(kCountThreads)
    count_negatives_kernel(const std::uint64_t* keys, std::int64_t rows, std::int64_t blocks,
                           std::int64_t* negatives) {
  for (std::int64_t b = global_warp(); b < blocks; b += global_warps()) {
    std::int64_t mine = 0;
    const std::int64_t end = rows < (b + 1) * kPairBlock ? rows : (b + 1) * kPairBlock;
    for (std::int64_t i = b * kPairBlock + lane_of_thread(); i < end; i += kWarp) {
      mine += (keys[i] & 1u) == 0 ? 1 : 0;
    }
    const std::int64_t sum = sum_over_lanes(mine);
    if (lane_of_thread() == 0) negatives[b] = sum;
  }
}

/// The number of sorted keys below `key`.
__device__ __forceinline__ std::int64_t keys_below(const std::uint64_t* keys, std::int64_t rows,
                                                   std::uint64_t key) {
  std::int64_t low = 0;
  for (std::int64_t count = rows; count > 0;) {
    const std::int64_t half = count / 2;
    if (keys[low + half] < key) {
      low += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return low;
}

/// Sums over the positives of (negatives below + negatives not above), as its low 32 bits and the
/// rest apart: a sum of 2^32 rows overflows neither.
/// keys: [rows], sorted.  before: [blocks], negatives before each block.  sums: [2].
///
/// Among equal scores negatives come first.  So the negatives not above a positive are those before
/// it, and the negatives below it are those before the first key of its score; where a score has
/// negatives, their number is the difference.
static __global__ void __launch_bounds__(kCountThreads, 2)
    count_pairs_kernel(const std::uint64_t* keys, std::int64_t rows, std::int64_t blocks,
                       const std::int64_t* before, unsigned long long* sums) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  for (std::int64_t b = global_warp(); b < blocks; b += global_warps()) {
    std::int64_t seen = before[b];
    const std::int64_t end = rows < (b + 1) * kPairBlock ? rows : (b + 1) * kPairBlock;
    for (std::int64_t first = b * kPairBlock; first < end; first += kWarp) {
      const std::int64_t i = first + lane_of_thread();
      const std::uint64_t key = i < end ? keys[i] : 1;
      const bool negative = i < end && (key & 1u) == 0;
      const unsigned negatives = __ballot_sync(kEveryLane, negative);
      if (i < end && !negative) {
        const std::int64_t not_above = seen + __popc(negatives & ((1u << lane_of_thread()) - 1u));
        const std::int64_t group = keys_below(keys, rows, key - 1);
        const std::int64_t tied = keys_below(keys, rows, key) - group;
        const auto both = static_cast<std::uint64_t>(2 * not_above - tied);
        low += both & 0xffffffffu;
        high += both >> 32;
      }
      seen += __popc(negatives);
    }
  }
  if (low != 0) atomicAdd(sums, static_cast<unsigned long long>(low));
  if (high != 0) atomicAdd(sums + 1, static_cast<unsigned long long>(high));
}

}  // namespace ossau::device
