#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "backend/cuda/device_tiles.hpp"

namespace ossau::cuda {

/// Tiles that stay in pinned memory of the host, and two buffers on the device: one is filled while
/// the other is worked on.
class DeviceTiles::Streams {
 public:
  /// tiles: outlives this.  signed_weight: on the device, [tiles, 64].  budget: bytes for the
  /// buffers, which hold a tile each at the least.
  Streams(const TileSet& tiles, const std::string& what, std::int64_t budget,
          const float* signed_weight, DeviceInfo device);

  std::int64_t bytes() const { return 2 * static_cast<std::int64_t>(buffers_[0].words.bytes()); }
  void each_piece(std::span<const TileSlice> slices, StreamHandle stream, const Work& work);

 private:
  // What some tiles need of a buffer.
  struct Extent {
    std::int64_t tiles = 0;
    std::int64_t slots = 0;    // dense: columns times 64
    std::int64_t spilled = 0;  // sparse only
  };

  struct Buffer {
    DeviceArray<std::uint32_t> words;
    // Made by the host for each piece, and copied.
    PinnedArray<TileSlice> slices;
    PinnedArray<std::int64_t> starts;  // sparse: of slices, then of spilled entries
    PinnedArray<Segment> segments;
    DeviceArray<TileSlice> slices_on_device;
    DeviceArray<std::int64_t> starts_on_device;
    DeviceArray<Segment> segments_on_device;
    Event filled;     // on the copies' stream
    Event worked_on;  // on the passes' stream
    bool used = false;
  };

  class Filler;

  std::int64_t place(const TileSlice& slice) const { return slice.tile - tiles_.owned.begin; }
  Extent extent_of(std::int64_t place) const;
  std::int64_t words_of(const Extent& extent) const;
  std::size_t piece_at(std::span<const TileSlice> slices, std::size_t first, Extent& extent) const;
  RowsView fill(Buffer& buffer, std::span<const TileSlice> piece, const Extent& extent);

  const TileSet& tiles_;
  const DenseTiles* dense_;    // of tiles_, or null
  const SparseTiles* sparse_;  // likewise
  const float* signed_weight_;
  DeviceInfo device_;
  Pin values_;  // dense values or sparse ones
  Pin index_;
  Pin length_;
  Pin spill_index_;
  Pin spill_value_;
  std::int64_t capacity_ = 0;    // words of a buffer
  std::int64_t most_tiles_ = 0;  // that a buffer can hold
  Stream copies_;
  Buffer buffers_[2];
  int turn_ = 0;
};

}  // namespace ossau::cuda
