#pragma once

#include <algorithm>

#include "dense_gradient.cuh"
#include "launch.cuh"
#include "launchers.hpp"
#include "sparse_gradient.cuh"
#include "wide_gradient.cuh"

// The shapes of passes over rows, and their launches, for any stage (row_stage.cuh).

namespace ossau::cuda {

using device::LaunchShape;

inline constexpr int kWarpThreads = static_cast<int>(device::kWarp);

// Warps of a block: with narrow tiles more of them, since each takes about as long whatever the
// width.
inline constexpr int kWarps = 8;
inline constexpr int kNarrowWarps = 16;

// Every warp holds an item, 64 KiB, so that what the second cache must keep between the two
// readings is a window and two items a warp: few warps with long rings.
inline constexpr std::int64_t kWindowBytes = 6 << 20;
inline constexpr int kWideWarps = 4;
inline constexpr int kWideSlots = 6;
static_assert(kWideSlots < device::kItemsAhead);

// Tiles must leave room in the ring for the next ones to come in.
inline constexpr int kSpareSlots = 2;

inline int divide_up(std::int64_t a, std::int64_t b) { return static_cast<int>((a + b - 1) / b); }

// Warps of a block whose tiles have one group; fewer where several sums take the registers.
template <class Stage>
inline constexpr int kNarrowWarpsOf = Stage::kRuns > 1 ? kWarps : kNarrowWarps;

// slices: that a block takes at most.
inline device::DenseShape dense_shape(std::int64_t features, std::int64_t slices, int narrow_warps,
                                      const DeviceInfo& device) {
  device::DenseShape shape;
  shape.features = static_cast<int>(features);
  shape.groups = std::max(1, divide_up(features, device::kGroupColumns));
  shape.chunks = std::max(1, divide_up(features, kScoreChunk));
  const int warps = shape.groups == 1 ? narrow_warps : kWarps;
  shape.teams = static_cast<int>(std::min<std::int64_t>(slices, std::max(1, warps / shape.chunks)));
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

template <class Stage>
void load_passes(const char* name) {
  device::load(name,
               device::dense_gradient_kernel<Stage, kWarps * kWarpThreads, device::kChunkGroups>);
  device::load(name, device::dense_gradient_kernel<Stage, kNarrowWarpsOf<Stage> * kWarpThreads, 1>);
  device::load(name, device::wide_gradient_kernel<Stage, kWideWarps * kWarpThreads>);
  device::load(name, device::sparse_gradient_kernel<Stage, false, false>);
  device::load(name, device::sparse_gradient_kernel<Stage, true, false>);
}

template <class Stage>
void dense_pass(const char* name, const DenseRows& rows, const GradientPass& pass,
                std::int64_t slices, const DeviceInfo& device, StreamHandle stream) {
  if (slices == 0) return;
  const std::int64_t blocks = std::min<std::int64_t>(slices, device.multiprocessors);
  constexpr int kNarrow = kNarrowWarpsOf<Stage>;
  const device::DenseShape shape =
      dense_shape(rows.features, divide_up(slices, blocks), kNarrow, device);
  const int threads = shape.teams * shape.chunks * kWarpThreads;
  const LaunchShape launch_shape = {static_cast<unsigned>(blocks), static_cast<unsigned>(threads),
                                    static_cast<std::size_t>(shape.shared_bytes)};
  if (shape.groups > 1) {
    device::launch(
        name, device::dense_gradient_kernel<Stage, kWarps * kWarpThreads, device::kChunkGroups>,
        launch_shape, stream, rows, pass, shape);
  } else {
    device::launch(name, device::dense_gradient_kernel<Stage, kNarrow * kWarpThreads, 1>,
                   launch_shape, stream, rows, pass, shape);
  }
}

inline int wide_chunks(std::int64_t features) { return divide_up(features, kScoreChunk); }

inline device::WideShape wide_shape(std::int64_t features, const DeviceInfo& device) {
  device::WideShape shape;
  const std::int64_t tile_bytes = features * kTileRows * static_cast<std::int64_t>(sizeof(float));
  shape.window = static_cast<unsigned>(std::max<std::int64_t>(1, kWindowBytes / tile_bytes));
  shape.chunks = wide_chunks(features);
  shape.slots = kWideSlots;
  const int fit = static_cast<int>(device.shared_bytes) / device::WideShared::bytes(shape);
  shape.warps = std::clamp(fit, 1, kWideWarps);
  return shape;
}

template <class Stage>
void wide_pass(const char* name, const DenseRows& rows, const GradientPass& pass,
               const WideScratch& scratch, std::int64_t slices, const DeviceInfo& device,
               StreamHandle stream) {
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
  device::launch(name, device::wide_gradient_kernel<Stage, kWideWarps * kWarpThreads>, launch_shape,
                 stream, rows, pass, scratch, shape);
}

// Blocks that a multiprocessor holds, by the registers they take: more would come in a second wave.
inline constexpr std::int64_t kSparseBlocks = 2;
// Warps for a multiprocessor before a tile's gradient is no longer shared.
inline constexpr std::int64_t kSparseWarps = 4;
inline constexpr std::int64_t kMostParts = 8;

template <class Stage, bool kOnes, bool kLists>
void launch_sparse(const char* name, const SparseRows& rows, const GradientPass& pass,
                   const TouchedList& touched, LaunchShape shape, int parts, StreamHandle stream) {
  device::launch(name, device::sparse_gradient_kernel<Stage, kOnes, kLists>, shape, stream, rows,
                 pass, touched, parts);
}

template <class Stage, bool kLists>
void sparse_pass(const char* name, const SparseRows& rows, const GradientPass& pass,
                 const TouchedList& touched, std::int64_t slices, const DeviceInfo& device,
                 StreamHandle stream) {
  if (slices == 0) return;
  constexpr std::int64_t kBlockWarps = device::kSparseThreads / kWarpThreads;
  // A power of two, so that a block's warps divide into teams.
  std::int64_t parts = 1;
  while (parts < kMostParts && 2 * parts * slices <= kSparseWarps * device.multiprocessors) {
    parts *= 2;
  }
  const std::int64_t blocks = std::min<std::int64_t>(divide_up(slices * parts, kBlockWarps),
                                                     kSparseBlocks * device.multiprocessors);
  const LaunchShape shape = {
      static_cast<unsigned>(blocks), static_cast<unsigned>(device::kSparseThreads),
      static_cast<std::size_t>(device::HotShared::bytes(rows.hot_count, Stage::kRuns))};
  const auto chosen =
      rows.ones ? launch_sparse<Stage, true, kLists> : launch_sparse<Stage, false, kLists>;
  chosen(name, rows, pass, touched, shape, static_cast<int>(parts), stream);
}

}  // namespace ossau::cuda
