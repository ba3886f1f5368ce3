#include <algorithm>

#include "batches.cuh"
#include "evaluation.cuh"
#include "launch.cuh"
#include "launchers.hpp"
#include "segments.cuh"
#include "self_test.cuh"

namespace ossau::cuda {
namespace {

constexpr std::int64_t kBlocksOfMultiprocessor = 8;

device::LaunchShape row_shape(std::int64_t threads, int threads_of_block,
                              const DeviceInfo& device) {
  const std::int64_t blocks = (threads + threads_of_block - 1) / threads_of_block;
  const std::int64_t most = kBlocksOfMultiprocessor * device.multiprocessors;
  return {static_cast<unsigned>(std::clamp<std::int64_t>(blocks, 1, most)),
          static_cast<unsigned>(threads_of_block), 0};
}

device::LaunchShape counting_shape(std::int64_t rows, const DeviceInfo& device) {
  return row_shape(rows, device::kCountThreads, device);
}

}  // namespace

void load_row_kernels() {
  device::load("batch selection", device::select_kernel);
  device::load("confusion counts", device::count_predictions_kernel);
  device::load("ranking keys", device::ranking_keys_kernel);
  device::load("negatives", device::count_negatives_kernel);
  device::load("ordered pairs", device::count_pairs_kernel);
  device::load("rows from the host", device::copy_segments_kernel);
  device::load("index table", device::map_indices_kernel);
  device::load("self-test", device::self_test_kernel);
}

// A batch can begin and end inside a tile, and have the short one between.
std::int64_t most_slices(std::int64_t batch_rows) { return batch_rows / kTileRows + 3; }

void select_batches(const BatchSelection& selection, TileSlice* slices, std::int32_t* counts,
                    const DeviceInfo& device, StreamHandle stream) {
  const device::Selection on_device = {.order = selection.order,
                                       .last_round = selection.last_round,
                                       .first_step = selection.steps.begin,
                                       .steps = selection.steps.size(),
                                       .owned_begin = selection.owned.begin,
                                       .owned_end = selection.owned.end,
                                       .stride = selection.stride};
  fill_zero(counts, static_cast<std::size_t>(selection.steps.size()) * sizeof(std::int32_t),
            stream);
  device::launch("batch selection", device::select_kernel,
                 row_shape(on_device.steps * on_device.stride, device::kSelectThreads, device),
                 stream, on_device, slices, counts);
}

void count_predictions(const float* scores, const float* signed_weight, std::int64_t rows,
                       double cut, std::int64_t* counts, const DeviceInfo& device,
                       StreamHandle stream) {
  device::launch("confusion counts", device::count_predictions_kernel, counting_shape(rows, device),
                 stream, scores, signed_weight, rows, cut, counts);
}

void ranking_keys(const float* scores, const float* signed_weight, std::int64_t rows,
                  bool unsigned_order, std::uint64_t* keys, const DeviceInfo& device,
                  StreamHandle stream) {
  device::launch("ranking keys", device::ranking_keys_kernel, counting_shape(rows, device), stream,
                 scores, signed_weight, rows, unsigned_order ? device::kSignBit : 0, keys);
}

std::int64_t pair_blocks(std::int64_t rows) {
  return (rows + device::kPairBlock - 1) / device::kPairBlock;
}

void count_negatives(const std::uint64_t* keys, std::int64_t rows, std::int64_t* negatives,
                     const DeviceInfo& device, StreamHandle stream) {
  const std::int64_t blocks = pair_blocks(rows);
  device::launch("negatives", device::count_negatives_kernel,
                 counting_shape(blocks * device::kWarp, device), stream, keys, rows, blocks,
                 negatives);
}

void count_pairs(const std::uint64_t* keys, std::int64_t rows, const std::int64_t* before,
                 unsigned long long* sums, const DeviceInfo& device, StreamHandle stream) {
  const std::int64_t blocks = pair_blocks(rows);
  device::launch("ordered pairs", device::count_pairs_kernel,
                 counting_shape(blocks * device::kWarp, device), stream, keys, rows, blocks, before,
                 sums);
}

void copy_segments(const Segment* segments, std::int64_t count, const DeviceInfo& device,
                   StreamHandle stream) {
  if (count == 0) return;
  // A few blocks fill the link and leave the device to the gradients.
  constexpr std::int64_t kBlocks = 32;
  const std::int64_t blocks = std::min({count, kBlocks, std::int64_t{device.multiprocessors}});
  device::launch("rows from the host", device::copy_segments_kernel,
                 {static_cast<unsigned>(blocks), static_cast<unsigned>(device::kCopyThreads), 0},
                 stream, segments, count);
}

void map_indices(std::uint32_t* indices, std::int64_t count, const std::uint32_t* table,
                 const DeviceInfo& device, StreamHandle stream) {
  if (count == 0) return;
  device::launch("index table", device::map_indices_kernel,
                 row_shape(count, device::kCopyThreads, device), stream, indices, count, table);
}

void self_test(std::uint64_t* results, StreamHandle stream) {
  device::launch("self-test", device::self_test_kernel, {1, 1, 0}, stream, DeviceQuestions{},
                 results);
}

}  // namespace ossau::cuda
