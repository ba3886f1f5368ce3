#pragma once

#include <cstdint>

#include "arguments.hpp"
#include "arith/epoch_order.hpp"
#include "core/device.hpp"
#include "core/range.hpp"
#include "queue.hpp"

// The kernels as functions of the host: each chooses the shape of its launch and queues it.

namespace ossau::cuda {

// Bring the kernels to the current device.  Loading one waits for what runs there, so it must not
// happen first while the collective of another rank waits for this one.
void load_gradient_kernels();
void load_row_kernels();
void load_step_kernels();
void load_update_kernels();

/// Whether a block's shared memory holds tiles of d columns.
bool dense_rows_fit(std::int64_t features, const DeviceInfo& device);

/// Adds the gradient, loss and intercept sums of the pass's slices to its sums.
/// slices: the most that there can be.  Throws DeviceError, as all of these.
void dense_gradient(const DenseRows& rows, const GradientPass& pass, std::int64_t slices,
                    const DeviceInfo& device, StreamHandle stream);

/// The same for rows that do not fit.  scratch: of at least so many slices.
void wide_gradient(const DenseRows& rows, const GradientPass& pass, const WideScratch& scratch,
                   std::int64_t slices, const DeviceInfo& device, StreamHandle stream);
/// Words of 4 bytes that `scratch` needs, zeroed by wide_gradient, and its floats.
std::int64_t wide_counters(std::int64_t slices);
std::int64_t wide_floats(std::int64_t slices, std::int64_t features);
WideScratch wide_scratch(std::uint32_t* counters, float* floats, std::int64_t slices,
                         std::int64_t features);

/// The same for sparse rows.  touched: without features, no list is kept; its count is cleared.
void sparse_gradient(const SparseRows& rows, const GradientPass& pass, const TouchedList& touched,
                     std::int64_t slices, const DeviceInfo& device, StreamHandle stream);

// The same passes with what `pass.solver` says, and what solvers do with kept scores.
void load_solver_kernels();
void dense_solver_pass(const DenseRows& rows, const GradientPass& pass, std::int64_t slices,
                       const DeviceInfo& device, StreamHandle stream);
void wide_solver_pass(const DenseRows& rows, const GradientPass& pass, const WideScratch& scratch,
                      std::int64_t slices, const DeviceInfo& device, StreamHandle stream);
void sparse_solver_pass(const SparseRows& rows, const GradientPass& pass, std::int64_t slices,
                        const DeviceInfo& device, StreamHandle stream);
/// sums: see line_kernel.
void line_sums(const LineTerms& line, std::int64_t* sums, const DeviceInfo& device,
               StreamHandle stream);
void add_scaled(float a, const float* x, float* y, std::int64_t count, const DeviceInfo& device,
                StreamHandle stream);
void subtract(const float* x, const float* y, float* to, std::int64_t count,
              const DeviceInfo& device, StreamHandle stream);
/// largest: 0 before; see largest_kernel.
void largest_score(const float* x, std::int64_t count, unsigned* largest, const DeviceInfo& device,
                   StreamHandle stream);

/// Adds the sums of products of the rows' entries to those of `terms`.
void load_gram_kernels();
void dense_gram(const DenseRows& rows, const GramTerms& terms, const DeviceInfo& device,
                StreamHandle stream);
void sparse_gram(const SparseRows& rows, const GramTerms& terms, const DeviceInfo& device,
                 StreamHandle stream);

/// Moves the weights by the sums, which are cleared.
void update(const OptimizerView& view, const UpdateStep& step, const TouchedList& touched,
            std::int64_t* sums, const DeviceInfo& device, StreamHandle stream);
/// Scoring weights from `from`, [d + 1].
void refresh_scoring(const OptimizerView& view, const double* from, const DeviceInfo& device,
                     StreamHandle stream);
/// largest: 0 before; see gradient_max_kernel.
void gradient_max(const OptimizerView& view, const std::int64_t* sums, const double* point,
                  double scale, double factor, double rate, unsigned long long* largest,
                  const DeviceInfo& device, StreamHandle stream);
/// Features that a list is worth keeping for.
std::uint32_t touched_capacity(std::int64_t features);

/// Which steps of an epoch a run takes, and what of it is here.
struct BatchSelection {
  EpochOrder order;
  const std::int64_t* last_round = nullptr;  // on the device; see BatchOrder::last_round()
  Range steps;
  Range owned;  // tiles
  std::int64_t stride = 0;
};
/// Slices that a batch can have at most.
std::int64_t most_slices(std::int64_t batch_rows);
/// Fills slices [steps, stride] and counts [steps].
void select_batches(const BatchSelection& selection, TileSlice* slices, std::int32_t* counts,
                    const DeviceInfo& device, StreamHandle stream);
/// Moves a run on.
void advance(RunState* run, std::int64_t steps, StreamHandle stream);

/// Whether dense_steps() takes steps of this rule and width, with batches of at most so many
/// slices, and takes them sooner than one kernel after the other.
bool dense_steps_pay(const OptimizerView& view, std::int64_t slices, const DeviceInfo& device);
/// Words of 8 bytes that dense_steps() needs.
std::size_t dense_steps_words(std::int64_t features);
/// All of the steps in one kernel, on dense rows; the sums of the model stay as they are.
/// exchange: dense_steps_words().
void dense_steps(const DenseRows& rows, const OptimizerView& view, const RunOfSteps& run,
                 std::int64_t* exchange, const DeviceInfo& device, StreamHandle stream);

/// counts: [4], 0 before; see PredictionCounts.
void count_predictions(const float* scores, const float* signed_weight, std::int64_t rows,
                       double cut, std::int64_t* counts, const DeviceInfo& device,
                       StreamHandle stream);
/// keys: [rows], see ranking_key(); unsigned_order: with the sign bit flipped.
void ranking_keys(const float* scores, const float* signed_weight, std::int64_t rows,
                  bool unsigned_order, std::uint64_t* keys, const DeviceInfo& device,
                  StreamHandle stream);
std::int64_t pair_blocks(std::int64_t rows);
/// negatives: [pair_blocks(rows)], of each block of sorted keys.
void count_negatives(const std::uint64_t* keys, std::int64_t rows, std::int64_t* negatives,
                     const DeviceInfo& device, StreamHandle stream);
/// before: negatives before each block.  sums: [2], 0 before; see count_pairs_kernel.
void count_pairs(const std::uint64_t* keys, std::int64_t rows, const std::int64_t* before,
                 unsigned long long* sums, const DeviceInfo& device, StreamHandle stream);

/// Copies; segments: on the device.
void copy_segments(const Segment* segments, std::int64_t count, const DeviceInfo& device,
                   StreamHandle stream);

/// Replaces each of `count` indices by its entry of `table`.
void map_indices(std::uint32_t* indices, std::int64_t count, const std::uint32_t* table,
                 const DeviceInfo& device, StreamHandle stream);

/// Reads `count` floats and does next to nothing with them.
void bare_read(const float* values, std::int64_t count, float* sink, const DeviceInfo& device,
               StreamHandle stream);
/// For each entry in slots of `slots`: reads its weight and adds a number to its sum.
void bare_gather_scatter(const SparseRows& rows, std::int64_t tiles, const float* weights,
                         std::int64_t* sums, const DeviceInfo& device, StreamHandle stream);

/// Results of the arithmetic's operations, to be compared with known ones; see self_test.cuh.
void self_test(std::uint64_t* results, StreamHandle stream);

}  // namespace ossau::cuda
