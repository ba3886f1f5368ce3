#pragma once

#include "arith/gram.hpp"
#include "warp.cuh"

// The Gram matrix of arith/gram.hpp: sums of whole numbers, in any order.

namespace ossau::device {

inline constexpr int kGramThreads = 256;

/// gram_root() of a row; a score that is not finite is taken as 0.
__device__ __forceinline__ float root_of_row(LossKind loss, float score, float signed_weight) {
  const RowTarget<ScalarOps> target = {signed_weight};
  const float finite = is_finite(score) ? score : 0.0f;
  return gram_root(curvature_of(loss, finite, target) * target.weight());
}

/// Where the sum of columns i <= j is; `columns` counts the intercept.
__device__ __forceinline__ std::int64_t gram_place(std::int64_t i, std::int64_t j,
                                                   std::int64_t columns) {
  return triangle_row(columns, i) + j - i;
}

/// Dense rows: a block takes two panels of 64 columns and some tiles, a thread 4 x 4 pairs of
/// columns.  A tile's entries lie in shared memory, column by column; its sums fit 32 bits.
class GramPanels {
 public:
  static constexpr int kColumns = 64;

  static OSSAU_HOST_DEVICE int shared_bytes() {
    return static_cast<int>(kTileRows * sizeof(float) + 2 * kWords * sizeof(std::int32_t));
  }

  __device__ __forceinline__ GramPanels(const DenseRows& rows, const GramTerms& terms)
      : rows_(rows),
        terms_(terms),
        roots_(reinterpret_cast<float*>(shared_memory())),
        left_(reinterpret_cast<std::int32_t*>(roots_ + kTileRows)),
        right_(left_ + kWords) {
    // Pairs of panels in the order (0, 0), (0, 1), (1, 1), (0, 2), ...
    const auto panels = static_cast<unsigned>(rows.features / kColumns + 1);
    const unsigned pairs = panels * (panels + 1) / 2;
    unsigned pair = blockIdx.x % pairs;
    unsigned j = 0;
    while (pair > j) pair -= ++j;
    left_first_ = static_cast<std::int64_t>(pair) * kColumns;
    right_first_ = static_cast<std::int64_t>(j) * kColumns;
    if (pair == j) right_ = left_;
    const std::int64_t part = blockIdx.x / pairs;
    const std::int64_t parts = gridDim.x / pairs;
    begin_ = terms.count * part / parts;
    end_ = terms.count * (part + 1) / parts;
  }

  __device__ __forceinline__ void run() {
    for (std::int64_t i = begin_; i < end_; ++i) {
      const std::int64_t place = terms_.slices[i].tile - rows_.first_tile;
      if (threadIdx.x < kTileRows) {
        roots_[threadIdx.x] = root_of_row(terms_.loss, terms_.at[i * kTileRows + threadIdx.x],
                                          rows_.signed_weight[place * kTileRows + threadIdx.x]);
      }
      __syncthreads();
      stage(place, left_first_, left_);
      if (right_ != left_) stage(place, right_first_, right_);
      __syncthreads();
      // Roots are read no more, and entries not behind the next tile's first barrier.
      add_tile();
    }
    flush();
  }

 private:
  // From a column to the next: eight columns' 16 bytes lie in different banks.
  static constexpr int kStride = static_cast<int>(kTileRows) + 4;
  static constexpr int kWords = kColumns * kStride;
  static constexpr int kSide = 4;    // pairs of a thread
  static constexpr int kApart = 16;  // its columns

  __device__ __forceinline__ void stage(std::int64_t place, std::int64_t first,
                                        std::int32_t* to) const {
    const unsigned row = threadIdx.x % kTileRows;
    const float root = roots_[row];
    const std::int64_t d = rows_.features;
    const float* x = rows_.values + (place * d + first) * kTileRows + row;
#pragma unroll 8
    for (int c = static_cast<int>(threadIdx.x / kTileRows); c < kColumns;
         c += kGramThreads / static_cast<int>(kTileRows)) {
      float value = first + c == d ? 1.0f : 0.0f;  // the intercept; columns past it
      if (first + c < d) value = x[c * kTileRows];
      to[c * kStride + static_cast<int>(row)] = gram_entry(root, value);
    }
  }

  static __device__ __forceinline__ int4 four_rows(const std::int32_t* column, int row) {
    return *reinterpret_cast<const int4*>(column + row);
  }

  __device__ __forceinline__ void add_tile() {
    const std::int32_t* left = left_ + static_cast<int>(threadIdx.x / kApart) * kStride;
    const std::int32_t* right = right_ + static_cast<int>(threadIdx.x % kApart) * kStride;
    std::int32_t of_tile[kSide][kSide] = {};
    for (int row = 0; row < static_cast<int>(kTileRows); row += 4) {
      int4 a[kSide];
#pragma unroll
      for (int k = 0; k < kSide; ++k) a[k] = four_rows(left + k * kApart * kStride, row);
#pragma unroll
      for (int l = 0; l < kSide; ++l) {
        const int4 b = four_rows(right + l * kApart * kStride, row);
#pragma unroll
        for (int k = 0; k < kSide; ++k) {
          of_tile[k][l] += a[k].x * b.x + a[k].y * b.y + a[k].z * b.z + a[k].w * b.w;
        }
      }
    }
#pragma unroll
    for (int k = 0; k < kSide; ++k) {
#pragma unroll
      for (int l = 0; l < kSide; ++l) sums_[k][l] += of_tile[k][l];
    }
  }

  __device__ __forceinline__ void flush() const {
    const std::int64_t columns = rows_.features + 1;
#pragma unroll
    for (int k = 0; k < kSide; ++k) {
#pragma unroll
      for (int l = 0; l < kSide; ++l) {
        const std::int64_t i = left_first_ + threadIdx.x / kApart + k * kApart;
        const std::int64_t j = right_first_ + threadIdx.x % kApart + l * kApart;
        if (i <= j && j < columns) add_to(terms_.sums + gram_place(i, j, columns), sums_[k][l]);
      }
    }
  }

  const DenseRows& rows_;
  const GramTerms& terms_;
  float* roots_;         // [64]
  std::int32_t* left_;   // [kColumns, kStride]
  std::int32_t* right_;  // the same where both panels are one
  std::int64_t left_first_ = 0;
  std::int64_t right_first_ = 0;
  std::int64_t begin_ = 0;  // slices
  std::int64_t end_ = 0;
  std::int64_t sums_[kSide][kSide] = {};
};

static __global__ void __launch_bounds__(kGramThreads)
    dense_gram_kernel(const __grid_constant__ DenseRows rows,
                      const __grid_constant__ GramTerms terms) {
  GramPanels(rows, terms).run();
}

/// Sparse rows: a warp takes a row, 32 entries against 32 at a time.
class GramRow {
 public:
  __device__ __forceinline__ GramRow(const SparseRows& rows, const GramTerms& terms,
                                     std::int64_t slice, unsigned row)
      : rows_(rows), sums_(terms.sums) {
    const std::int64_t place = terms.slices[slice].tile - rows.first_tile;
    const std::uint32_t* length = rows.length + place * kTileRows;
    root_ = root_of_row(terms.loss, terms.at[slice * kTileRows + row],
                        rows.signed_weight[place * kTileRows + row]);
    length_ = length[row];
    slices_ = rows.slice_start[place + 1] - rows.slice_start[place];
    slot_ = rows.slice_start[place] * kTileRows + row;
    if (length_ > slices_) spill_ = rows.spill_start[place] + spilled_before(length, row);
  }

  __device__ __forceinline__ void run() const {
    const std::int64_t count = length_ + 1;
    for (std::int64_t first = 0; first < count; first += kWarp) {
      const Entry a = entry(first + lane_of_thread());
      const auto here = static_cast<unsigned>(count - first < kWarp ? count - first : kWarp);
      add_products(a, here, a, true);
      for (std::int64_t other = first + kWarp; other < count; other += kWarp) {
        add_products(a, here, entry(other + lane_of_thread()), false);
      }
    }
  }

 private:
  struct Entry {
    std::uint32_t column = 0;
    std::int32_t q = 0;
  };

  __device__ __forceinline__ std::int64_t spilled_before(const std::uint32_t* length,
                                                         unsigned row) const {
    const unsigned lane = lane_of_thread();
    const auto spilled = [&](unsigned of) -> std::int64_t {
      return of < row && length[of] > slices_ ? length[of] - slices_ : 0;
    };
    return sum_over_lanes(spilled(lane) + spilled(lane + kWarp));
  }

  // Entry k of the row; behind them the intercept's, and no more.
  __device__ __forceinline__ Entry entry(std::int64_t k) const {
    if (k > length_) return {};
    if (k == length_) {
      return {static_cast<std::uint32_t>(rows_.features), gram_entry(root_, 1.0f)};
    }
    const bool here = k < slices_;
    const std::int64_t at = here ? slot_ + k * kTileRows : spill_ + k - slices_;
    const std::uint32_t index = here ? rows_.index[at] : rows_.spill_index[at];
    float x = 1.0f;
    if (!rows_.ones) x = here ? rows_.value[at] : rows_.spill_value[at];
    const bool hot = (index & kHotFeature) != 0;
    return {hot ? rows_.hot[index ^ kHotFeature] : index, gram_entry(root_, x)};
  }

  // Each of `count` entries a, one a lane, with every lane's b; of the same entries each pair once.
  __device__ __forceinline__ void add_products(const Entry& a, unsigned count, const Entry& b,
                                               bool same) const {
    for (unsigned k = 0; k < count; ++k) {
      const std::uint32_t column = __shfl_sync(kEveryLane, a.column, static_cast<int>(k));
      const std::int32_t q = __shfl_sync(kEveryLane, a.q, static_cast<int>(k));
      if (same && lane_of_thread() < k) continue;
      // A row's columns ascend.
      add_to(sums_ + gram_place(column, b.column, rows_.features + 1), q * b.q);
    }
  }

  const SparseRows& rows_;
  std::int64_t* sums_;
  float root_;
  std::int64_t length_;
  std::int64_t slices_;     // of the tile
  std::int64_t slot_;       // of the row's first entry
  std::int64_t spill_ = 0;  // where its spilled entries begin
};

static __global__ void __launch_bounds__(kGramThreads)
    sparse_gram_kernel(const __grid_constant__ SparseRows rows,
                       const __grid_constant__ GramTerms terms) {
  for (std::int64_t i = global_warp(); i < terms.count * kTileRows; i += global_warps()) {
    GramRow(rows, terms, i / kTileRows, static_cast<unsigned>(i % kTileRows)).run();
  }
}

}  // namespace ossau::device
