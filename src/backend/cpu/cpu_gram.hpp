#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/cpu/kernels.hpp"
#include "backend/cpu/sparse_gram.hpp"
#include "core/aligned.hpp"
#include "core/thread_pool.hpp"
#include "data/tiles.hpp"

namespace ossau {

/// Bytes that threads' own Gram matrices may take together, and what they have instead.
inline constexpr std::size_t kGramBytes = std::size_t{256} << 20;

/// Adds up the Gram matrix of arith/gram.hpp over tiles in this machine's memory.
///
/// Threads take rows and have a matrix each, or, where these would take too much memory, one
/// together, of which each adds to its own part.
class CpuGram {
 public:
  /// slices: all of `tiles`, whole and in order.  wake_s: work that repays a thread.  All but the
  /// kernels must outlive this.
  CpuGram(const GramKernels& kernels, ThreadPool& pool, const TileSet& tiles,
          std::span<const TileSlice> slices, double wake_s, std::size_t most_bytes = kGramBytes);

  /// GramLayout; holds until the next call.
  /// at: [tiles, 64], the scores at which the curvature is taken.
  std::span<std::int64_t> add(const float* at);

 private:
  // What a thread works with, alone on its cache lines.
  struct alignas(kAlignment) Thread {
    UntouchedVector<std::int64_t> gram;  // GramLayout; of one that works with others the first's
    AlignedVector<float> roots;          // [kGramRows]
    AlignedVector<std::int16_t> panel;   // of dense rows
    GramRow row;                         // of sparse ones
    bool took_part = false;
  };

  std::size_t columns() const { return layout_.columns(); }
  std::size_t panel_size() const { return gram_blocks(columns()) * kGramBlockColumns * kGramRows; }
  std::int64_t panels() const;
  /// The rows of a panel with their roots, which go to `roots`.
  GramRows rows_of(std::int64_t panel, const float* at, float* roots) const;

  /// Calls add(thread, rows) for all rows, with the thread's own matrix, and adds up the matrices.
  template <class Add>
  void add_apart(const float* at, const Add& add);
  void add_matrices();
  void clear_matrix();  // the result

  void add_dense(const DenseTiles& dense, const GramRows& rows, Thread& thread) const;
  void add_dense_together(const DenseTiles& dense, const float* at);
  void make_panels(const DenseTiles& dense, const float* at, std::int64_t first,
                   std::int64_t count);
  void add_panels(std::int64_t count);
  void add_sparse_together(const SparseTiles& sparse, const float* at);

  GramKernels kernels_;
  ThreadPool& pool_;
  const TileSet& tiles_;
  std::span<const TileSlice> slices_;
  GramLayout layout_;
  std::size_t most_bytes_;
  bool together_;
  std::int64_t panel_grain_;     // panels that repay waking a thread
  std::vector<Thread> threads_;  // the first has the result
  // Of threads that work together: some panels, their rows and these rows' roots.
  AlignedVector<std::int16_t> panels_;
  std::vector<GramRows> rows_;
  AlignedVector<float> roots_;
};

}  // namespace ossau
