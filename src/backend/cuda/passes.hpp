#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "arguments.hpp"
#include "backend/cuda/device_tiles.hpp"
#include "backend/cuda/runtime.hpp"

namespace ossau::cuda {

/// Gradient passes over rows of any layout, width and place.
class Passes {
 public:
  Passes(DeviceInfo device, StreamHandle stream) : device_(std::move(device)), stream_(stream) {}

  /// Queues the addition of the sums of `slices`.  touched: only for resident rows, since pieces
  /// would each start the list anew.
  void add(DeviceTiles& tiles, std::span<const TileSlice> slices, const GradientPass& pass,
           const TouchedList& touched);
  /// The same for at most `slices` slices that are known to the device alone; `pass` has the list.
  void add_listed(const DeviceTiles& tiles, const GradientPass& pass, const TouchedList& touched,
                  std::int64_t slices);
  /// Takes the memory that passes of so many slices need: before the first graph, which keeps its
  /// address.
  void reserve(const DeviceTiles& tiles, std::int64_t slices);

  /// Seconds of the barest pass over all rows: the median of a few.  Leaves numbers in the sums.
  double bare_pass_s(DeviceTiles& tiles, const GradientPass& pass);

 private:
  void add_view(const DeviceTiles& tiles, const RowsView& view, const GradientPass& pass,
                const TouchedList& touched, std::int64_t slices);
  bool needs_scratch(const DeviceTiles& tiles) const;

  DeviceInfo device_;
  StreamHandle stream_;
  DeviceArray<std::uint32_t> counters_;  // of wide rows
  DeviceArray<float> floats_;
  std::int64_t scratch_slices_ = 0;
};

}  // namespace ossau::cuda
