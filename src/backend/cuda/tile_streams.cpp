#include "backend/cuda/tile_streams.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

#include "launchers.hpp"

namespace ossau::cuda {
namespace {

constexpr std::int64_t kWordBytes = 4;
constexpr std::int64_t kAlignWords = 32;          // arrays in a buffer start on 128 bytes
constexpr std::int64_t kMostBytes = 256 << 20;    // of a buffer; more hides nothing more
constexpr std::int64_t kSegmentWords = 16 << 10;  // so that blocks share long ones
constexpr std::int64_t kArrays = 6;               // of a sparse piece, in the host's memory or here

std::int64_t aligned(std::int64_t words) {
  return (words + kAlignWords - 1) / kAlignWords * kAlignWords;
}

template <class Array>
Pin pin_array(const Array& array, const std::string& what) {
  return {array.data(), array.size() * sizeof(array[0]), what};
}

}  // namespace

DeviceTiles::Streams::Streams(const TileSet& tiles, const std::string& what, std::int64_t budget,
                              const float* signed_weight, DeviceInfo device)
    : tiles_(tiles),
      dense_(std::get_if<DenseTiles>(&tiles.storage)),
      sparse_(std::get_if<SparseTiles>(&tiles.storage)),
      signed_weight_(signed_weight),
      device_(std::move(device)),
      values_(sparse_ == nullptr ? pin_array(dense_->values, what)
                                 : pin_array(sparse_->value, what)),
      copies_(make_stream()) {
  if (sparse_ != nullptr) {
    index_ = pin_array(sparse_->index, what);
    length_ = pin_array(sparse_->length, what);
    spill_index_ = pin_array(sparse_->spill_index, what);
    spill_value_ = pin_array(sparse_->spill_value, what);
  }
  std::int64_t largest = 0;
  std::int64_t smallest = kMostBytes;
  for (std::int64_t i = 0; i < tiles.owned.size(); ++i) {
    const std::int64_t words = words_of(extent_of(i));
    largest = std::max(largest, words);
    smallest = std::min(smallest, words);
  }
  capacity_ = std::max(largest, std::min(budget / 2, kMostBytes) / kWordBytes);
  most_tiles_ = capacity_ / std::max(smallest, kAlignWords) + 1;
  const auto most = static_cast<std::size_t>(most_tiles_);
  const auto segments =
      static_cast<std::size_t>(capacity_ / kSegmentWords + kArrays * (most_tiles_ + 1));
  for (Buffer& buffer : buffers_) {
    buffer.words = {static_cast<std::size_t>(capacity_), what + " that stream from the host"};
    buffer.slices = {most, what};
    buffer.starts = {2 * (most + 1), what};
    buffer.segments = {segments, what};
    buffer.slices_on_device = {most, what};
    buffer.starts_on_device = {2 * (most + 1), what};
    buffer.segments_on_device = {segments, what};
    buffer.filled.reset(make_event());
    buffer.worked_on.reset(make_event());
  }
}

DeviceTiles::Streams::Extent DeviceTiles::Streams::extent_of(std::int64_t place) const {
  if (sparse_ == nullptr) return {.tiles = 1, .slots = tiles_.features * kTileRows, .spilled = 0};
  const auto i = static_cast<std::size_t>(place);
  return {.tiles = 1,
          .slots = (sparse_->slice_start[i + 1] - sparse_->slice_start[i]) * kTileRows,
          .spilled = sparse_->spill_start[i + 1] - sparse_->spill_start[i]};
}

std::int64_t DeviceTiles::Streams::words_of(const Extent& extent) const {
  const std::int64_t rows = aligned(extent.tiles * kTileRows);  // of weights, of lengths
  if (sparse_ == nullptr) return rows + aligned(extent.slots);
  return 2 * rows + 2 * aligned(extent.slots) + 2 * aligned(extent.spilled);
}

// The end of the piece that starts at `first`, and what it needs.
std::size_t DeviceTiles::Streams::piece_at(std::span<const TileSlice> slices, std::size_t first,
                                           Extent& extent) const {
  extent = {};
  std::size_t end = first;
  for (; end < slices.size() && extent.tiles < most_tiles_; ++end) {
    const Extent one = extent_of(place(slices[end]));
    const Extent with = {.tiles = extent.tiles + 1,
                         .slots = extent.slots + one.slots,
                         .spilled = extent.spilled + one.spilled};
    if (end > first && words_of(with) > capacity_) break;
    extent = with;
  }
  return end;
}

void DeviceTiles::Streams::each_piece(std::span<const TileSlice> slices, StreamHandle stream,
                                      const Work& work) {
  for (std::size_t first = 0; first < slices.size();) {
    Extent extent;
    const std::size_t end = piece_at(slices, first, extent);
    Buffer& buffer = buffers_[turn_];
    turn_ ^= 1;
    if (buffer.used) {
      cuda::wait(buffer.filled.get(), "copy rows from the host");  // its tables are free again
      cuda::wait(copies_.get(), buffer.worked_on.get());
    }
    const RowsView view = fill(buffer, slices.subspan(first, end - first), extent);
    record(buffer.filled.get(), copies_.get());
    cuda::wait(stream, buffer.filled.get());
    work(view, buffer.slices_on_device.data(), static_cast<std::int64_t>(end - first),
         static_cast<std::int64_t>(first));
    record(buffer.worked_on.get(), stream);
    buffer.used = true;
    first = end;
  }
}

// Lays out a buffer and lists what has to be copied into it.
class DeviceTiles::Streams::Filler {
 public:
  explicit Filler(Buffer& buffer) : buffer_(buffer), next_(buffer.words.data()) {}

  /// Room for an array.
  template <class T>
  T* array(std::int64_t count) {
    auto* begin = reinterpret_cast<T*>(next_);
    next_ += aligned(count * static_cast<std::int64_t>(sizeof(T)) / kWordBytes);
    return begin;
  }

  template <class T>
  void copy(const T* from, T* to, std::int64_t count) {
    static_assert(sizeof(T) == kWordBytes);
    add(reinterpret_cast<const std::uint32_t*>(from), reinterpret_cast<std::uint32_t*>(to), count);
  }

  std::int64_t segments() const { return count_; }

 private:
  void add(const std::uint32_t* from, std::uint32_t* to, std::int64_t words) {
    while (words > 0) {
      const std::int64_t part = std::min(words, kSegmentWords);
      buffer_.segments[static_cast<std::size_t>(count_++)] = {from, to, part};
      from += part;
      to += part;
      words -= part;
    }
  }

  Buffer& buffer_;
  std::uint32_t* next_;
  std::int64_t count_ = 0;
};

RowsView DeviceTiles::Streams::fill(Buffer& buffer, std::span<const TileSlice> piece,
                                    const Extent& extent) {
  Filler filler(buffer);
  const std::int64_t rows = extent.tiles * kTileRows;
  auto* weights = filler.array<float>(rows);
  auto* values = filler.array<float>(extent.slots);
  auto* length = filler.array<std::uint32_t>(sparse_ != nullptr ? rows : 0);
  auto* index = filler.array<std::uint32_t>(sparse_ != nullptr ? extent.slots : 0);
  auto* spill_index = filler.array<std::uint32_t>(extent.spilled);
  auto* spill_value = filler.array<float>(extent.spilled);
  std::int64_t* starts = buffer.starts.data();
  std::int64_t* spill_starts = starts + extent.tiles + 1;
  const bool ones = sparse_ != nullptr && sparse_->implicit_ones();
  Extent done;
  for (const TileSlice& slice : piece) {
    const std::int64_t from = place(slice);
    const Extent one = extent_of(from);
    buffer.slices[static_cast<std::size_t>(done.tiles)] = {done.tiles, slice.row_begin,
                                                           slice.row_end};
    filler.copy(signed_weight_ + from * kTileRows, weights + done.tiles * kTileRows, kTileRows);
    if (sparse_ == nullptr) {
      filler.copy(values_.as<float>() + from * one.slots, values + done.slots, one.slots);
    } else {
      const auto i = static_cast<std::size_t>(from);
      const std::int64_t slot = sparse_->slice_start[i] * kTileRows;
      const std::int64_t spill = sparse_->spill_start[i];
      starts[done.tiles] = done.slots / kTileRows;
      spill_starts[done.tiles] = done.spilled;
      filler.copy(length_.as<std::uint32_t>() + from * kTileRows, length + done.tiles * kTileRows,
                  kTileRows);
      filler.copy(index_.as<std::uint32_t>() + slot, index + done.slots, one.slots);
      filler.copy(spill_index_.as<std::uint32_t>() + spill, spill_index + done.spilled,
                  one.spilled);
      if (!ones) {
        if (one.slots > 0) filler.copy(values_.as<float>() + slot, values + done.slots, one.slots);
        filler.copy(spill_value_.as<float>() + spill, spill_value + done.spilled, one.spilled);
      }
    }
    done = {done.tiles + 1, done.slots + one.slots, done.spilled + one.spilled};
  }
  starts[done.tiles] = done.slots / kTileRows;
  spill_starts[done.tiles] = done.spilled;

  const auto tiles = static_cast<std::size_t>(extent.tiles);
  StreamHandle stream = copies_.get();
  cuda::copy(buffer.slices_on_device.data(), buffer.slices.data(), tiles * sizeof(TileSlice),
             stream);
  cuda::copy(buffer.starts_on_device.data(), starts, 2 * (tiles + 1) * sizeof(std::int64_t),
             stream);
  const auto segments = static_cast<std::size_t>(filler.segments());
  cuda::copy(buffer.segments_on_device.data(), buffer.segments.data(), segments * sizeof(Segment),
             stream);
  copy_segments(buffer.segments_on_device.data(), filler.segments(), device_, stream);

  RowsView view;
  view.dense = {
      .values = values, .signed_weight = weights, .features = tiles_.features, .first_tile = 0};
  view.sparse = {.slice_start = buffer.starts_on_device.data(),
                 .index = index,
                 .value = values,
                 .length = length,
                 .spill_start = buffer.starts_on_device.data() + extent.tiles + 1,
                 .spill_index = spill_index,
                 .spill_value = spill_value,
                 .signed_weight = weights,
                 .features = tiles_.features,
                 .first_tile = 0,
                 .ones = ones};
  return view;
}

}  // namespace ossau::cuda
