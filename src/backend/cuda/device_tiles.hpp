#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "backend/cuda/runtime.hpp"
#include "data/tiles.hpp"

namespace ossau::cuda {

/// What a pass has to know of rows, of one layout or the other.
struct RowsView {
  DenseRows dense;    // of a dense set
  SparseRows sparse;  // of a sparse one
};

/// The tiles of a set of rows for a device: in its memory, or in the host's, from where a pass
/// fetches them piece by piece, each while the one before is worked on.
class DeviceTiles {
 public:
  /// what: of the rows, for messages.  budget: bytes that the tiles may take on the device; more is
  /// streamed.  What is used of it is taken off.
  DeviceTiles(TileSet tiles, const std::string& what, std::int64_t& budget,
              const DeviceInfo& device, StreamHandle stream);
  ~DeviceTiles();
  DeviceTiles(const DeviceTiles&) = delete;
  DeviceTiles& operator=(const DeviceTiles&) = delete;

  const TileSet& set() const { return tiles_; }  // its storage is empty where it is on the device
  bool dense() const { return dense_; }
  bool resident() const { return streams_ == nullptr; }
  std::int64_t rows_here() const { return tiles_.shards.rows_of_tiles(tiles_.owned).size(); }
  std::span<const TileSlice> every_tile() const { return every_tile_; }

  /// Signs and weights of every row, [tiles, 64], always on the device.
  const float* signed_weight() const { return signed_weight_.data(); }
  /// The rows; only where resident().
  const RowsView& view() const { return view_; }
  /// The list of every tile, on the device.
  const TileSlice* every_tile_on_device() const { return every_tile_on_device_.data(); }
  /// Bytes that a pass over all rows reads.
  std::int64_t pass_bytes() const { return pass_bytes_; }

  /// Calls work(view, slices, count, first) for piece after piece of `slices`: the rows of the
  /// piece, its slices on the device, and the number of the first of them; all of it is queued.
  using Work = std::function<void(const RowsView& view, const TileSlice* slices, std::int64_t count,
                                  std::int64_t first)>;
  void each_piece(std::span<const TileSlice> slices, StreamHandle stream, const Work& work);

 private:
  class Streams;

  void upload(StreamHandle stream);
  void mark_hot(const DeviceInfo& device, StreamHandle stream);

  TileSet tiles_;
  std::string what_;
  bool dense_;
  std::vector<TileSlice> every_tile_;
  std::int64_t pass_bytes_ = 0;
  RowsView view_;
  DeviceArray<float> signed_weight_;
  DeviceArray<TileSlice> every_tile_on_device_;
  DeviceArray<TileSlice> list_;  // of a pass that visits others
  // Where resident.
  DeviceArray<float> values_;
  DeviceArray<std::int64_t> slice_start_;
  DeviceArray<std::uint32_t> index_;
  DeviceArray<std::uint32_t> length_;
  DeviceArray<std::int64_t> spill_start_;
  DeviceArray<std::uint32_t> spill_index_;
  DeviceArray<float> spill_value_;
  DeviceArray<std::uint32_t> hot_;
  std::unique_ptr<Streams> streams_;
};

}  // namespace ossau::cuda
