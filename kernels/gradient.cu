#include <algorithm>

#include "bare_pass.cuh"
#include "dense_gradient.cuh"
#include "launch.cuh"
#include "launchers.hpp"
#include "sparse_gradient.cuh"
#include "wide_gradient.cuh"

namespace ossau::cuda {
namespace {

using device::LaunchShape;

constexpr int kWarpThreads = static_cast<int>(device::kWarp);

// Warps of a block: with narrow tiles more of them, since each takes about as long whatever the
// width.
constexpr int kWarps = 8;
constexpr int kNarrowWarps = 16;

// Every warp holds an item, 64 KiB, so that what the second cache must keep between the two
// readings is a window and two items a warp: few warps with long rings.
constexpr std::int64_t kWindowBytes = 6 << 20;
constexpr int kWideWarps = 4;
constexpr int kWideSlots = 6;
static_assert(kWideSlots < device::kItemsAhead);

// Tiles must leave room in the ring for the next ones to come in.
constexpr int kSpareSlots = 2;

int divide_up(std::int64_t a, std::int64_t b) { return static_cast<int>((a + b - 1) / b); }

int warps_of_block(const device::DenseShape& shape) {
  return shape.groups == 1 ? kNarrowWarps : kWarps;
}

// slices: that a block takes at most.
device::DenseShape dense_shape(std::int64_t features, std::int64_t slices,
                               const DeviceInfo& device) {
  device::DenseShape shape;
  shape.features = static_cast<int>(features);
  shape.groups = std::max(1, divide_up(features, device::kGroupColumns));
  shape.chunks = std::max(1, divide_up(features, kScoreChunk));
  shape.teams = static_cast<int>(
      std::min<std::int64_t>(slices, std::max(1, warps_of_block(shape) / shape.chunks)));
  shape.slot_bytes = static_cast<int>(std::min<std::int64_t>(features, device::kGroupColumns) *
                                      kTileRows * sizeof(float));
  // What is left beside the rest goes into the ring, but no more than there is to come.
  const int rest = device::DenseShared::bytes(shape);
  const int per_slot =
      shape.slot_bytes + static_cast<int>(sizeof(device::CopyBarrier) + sizeof(std::uint32_t));
  const int room = (static_cast<int>(device.shared_bytes) - rest) / per_slot;
  const std::int64_t items = slices * shape.groups;
  shape.slots = static_cast<int>(std::min<std::int64_t>(room, items));
  // In the end the ring holds the warps' sums.
  const int flush = shape.teams * shape.chunks * static_cast<int>(kScoreChunk * sizeof(double));
  shape.slots = std::max(shape.slots, divide_up(flush, shape.slot_bytes));
  shape.shared_bytes = device::DenseShared::bytes(shape);
  return shape;
}

}  // namespace

void load_gradient_kernels() {
  device::load("dense gradient",
               device::dense_gradient_kernel<kWarps * kWarpThreads, device::kChunkGroups>);
  device::load("dense gradient", device::dense_gradient_kernel<kNarrowWarps * kWarpThreads, 1>);
  device::load("wide gradient", device::wide_gradient_kernel<kWideWarps * kWarpThreads>);
  device::load("sparse gradient", device::sparse_gradient_kernel<false, false>);
  device::load("sparse gradient", device::sparse_gradient_kernel<false, true>);
  device::load("sparse gradient", device::sparse_gradient_kernel<true, false>);
  device::load("sparse gradient", device::sparse_gradient_kernel<true, true>);
  device::load("bare read", device::bare_read_kernel);
  device::load("bare gather and scatter", device::bare_gather_scatter_kernel);
}

bool dense_rows_fit(std::int64_t features, const DeviceInfo& device) {
  if (features > 32 * kScoreChunk) return false;  // and no int below overflows
  const device::DenseShape shape = dense_shape(features, 1 << 20, device);
  return shape.slots >= shape.groups + kSpareSlots &&
         shape.shared_bytes <= static_cast<int>(device.shared_bytes);
}

void dense_gradient(const DenseRows& rows, const GradientPass& pass, std::int64_t slices,
                    const DeviceInfo& device, StreamHandle stream) {
  if (slices == 0) return;
  const std::int64_t blocks = std::min<std::int64_t>(slices, device.multiprocessors);
  const device::DenseShape shape = dense_shape(rows.features, divide_up(slices, blocks), device);
  const int threads = shape.teams * shape.chunks * kWarpThreads;
  const LaunchShape launch_shape = {static_cast<unsigned>(blocks), static_cast<unsigned>(threads),
                                    static_cast<std::size_t>(shape.shared_bytes)};
  if (shape.groups > 1) {
    device::launch("dense gradient",
                   device::dense_gradient_kernel<kWarps * kWarpThreads, device::kChunkGroups>,
                   launch_shape, stream, rows, pass, shape);
  } else {
    device::launch("dense gradient", device::dense_gradient_kernel<kNarrowWarps * kWarpThreads, 1>,
                   launch_shape, stream, rows, pass, shape);
  }
}

namespace {

int wide_chunks(std::int64_t features) { return divide_up(features, kScoreChunk); }

device::WideShape wide_shape(std::int64_t features, const DeviceInfo& device) {
  device::WideShape shape;
  const std::int64_t tile_bytes = features * kTileRows * static_cast<std::int64_t>(sizeof(float));
  shape.window = static_cast<unsigned>(std::max<std::int64_t>(1, kWindowBytes / tile_bytes));
  shape.chunks = wide_chunks(features);
  shape.slots = kWideSlots;
  const int fit = static_cast<int>(device.shared_bytes) / device::WideShared::bytes(shape);
  shape.warps = std::clamp(fit, 1, kWideWarps);
  return shape;
}

}  // namespace

std::int64_t wide_counters(std::int64_t slices) { return 2 * slices + 1; }

std::int64_t wide_floats(std::int64_t slices, std::int64_t features) {
  return slices * (wide_chunks(features) + 1) * kTileRows;
}

WideScratch wide_scratch(std::uint32_t* counters, float* floats, std::int64_t slices,
                         std::int64_t features) {
  return {.partial = floats,
          .residual = floats + slices * wide_chunks(features) * kTileRows,
          .arrived = counters,
          .ready = counters + slices,
          .ticket = counters + 2 * slices};
}

void wide_gradient(const DenseRows& rows, const GradientPass& pass, const WideScratch& scratch,
                   std::int64_t slices, const DeviceInfo& device, StreamHandle stream) {
  if (slices == 0) return;
  fill_zero(scratch.arrived,
            static_cast<std::size_t>(scratch.ticket + 1 - scratch.arrived) * sizeof(std::uint32_t),
            stream);
  const device::WideShape shape = wide_shape(rows.features, device);
  const std::int64_t blocks =
      std::min<std::int64_t>(divide_up(slices * shape.chunks, shape.warps), device.multiprocessors);
  const LaunchShape launch_shape = {
      static_cast<unsigned>(blocks), static_cast<unsigned>(shape.warps * kWarpThreads),
      static_cast<std::size_t>(shape.warps * device::WideShared::bytes(shape))};
  device::launch("wide gradient", device::wide_gradient_kernel<kWideWarps * kWarpThreads>,
                 launch_shape, stream, rows, pass, scratch, shape);
}

namespace {

// Blocks that a multiprocessor holds, by the registers they take: more would come in a second wave.
constexpr std::int64_t kSparseBlocks = 2;
// Warps for a multiprocessor before a tile's gradient is no longer shared.
constexpr std::int64_t kSparseWarps = 4;
constexpr std::int64_t kMostParts = 8;

template <bool kOnes, bool kLists>
void launch_sparse(const SparseRows& rows, const GradientPass& pass, const TouchedList& touched,
                   LaunchShape shape, int parts, StreamHandle stream) {
  device::launch("sparse gradient", device::sparse_gradient_kernel<kOnes, kLists>, shape, stream,
                 rows, pass, touched, parts);
}

}  // namespace

void sparse_gradient(const SparseRows& rows, const GradientPass& pass, const TouchedList& touched,
                     std::int64_t slices, const DeviceInfo& device, StreamHandle stream) {
  const bool lists = touched.features != nullptr;
  if (lists) fill_zero(touched.count, sizeof(std::uint32_t), stream);
  if (slices == 0) return;
  constexpr std::int64_t kBlockWarps = device::kSparseThreads / kWarpThreads;
  // A power of two, so that a block's warps divide into teams.
  std::int64_t parts = 1;
  while (parts < kMostParts && 2 * parts * slices <= kSparseWarps * device.multiprocessors) {
    parts *= 2;
  }
  const std::int64_t blocks = std::min<std::int64_t>(divide_up(slices * parts, kBlockWarps),
                                                     kSparseBlocks * device.multiprocessors);
  const LaunchShape shape = {static_cast<unsigned>(blocks),
                             static_cast<unsigned>(device::kSparseThreads),
                             static_cast<std::size_t>(device::HotShared::bytes(rows.hot_count))};
  const bool ones = rows.ones;
  const auto chosen = ones ? (lists ? launch_sparse<true, true> : launch_sparse<true, false>)
                           : (lists ? launch_sparse<false, true> : launch_sparse<false, false>);
  chosen(rows, pass, touched, shape, static_cast<int>(parts), stream);
}

namespace {

constexpr std::int64_t kBareBlocks = 8;

LaunchShape bare_shape(std::int64_t threads, const DeviceInfo& device) {
  const std::int64_t most = kBareBlocks * device.multiprocessors;
  const std::int64_t blocks =
      std::clamp<std::int64_t>(divide_up(threads, device::kBareThreads), 1, most);
  return {static_cast<unsigned>(blocks), static_cast<unsigned>(device::kBareThreads), 0};
}

}  // namespace

void bare_read(const float* values, std::int64_t count, float* sink, const DeviceInfo& device,
               StreamHandle stream) {
  device::launch("bare read", device::bare_read_kernel, bare_shape(count / 4, device), stream,
                 values, count, sink);
}

void bare_gather_scatter(const SparseRows& rows, std::int64_t tiles, const float* weights,
                         std::int64_t* sums, const DeviceInfo& device, StreamHandle stream) {
  device::launch("bare gather and scatter", device::bare_gather_scatter_kernel,
                 bare_shape(tiles * kWarpThreads, device), stream, rows, tiles, weights, sums);
}

}  // namespace ossau::cuda
