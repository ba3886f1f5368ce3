#include "backend/cuda/device_tiles.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>

#include "backend/cuda/hot_features.hpp"
#include "backend/cuda/tile_streams.hpp"
#include "data/batch_order.hpp"
#include "launchers.hpp"

namespace ossau::cuda {
namespace {

template <class Array>
std::int64_t bytes_of(const Array& array) {
  return static_cast<std::int64_t>(array.size() * sizeof(array[0]));
}

std::int64_t bytes_of(const TileSet& tiles) {
  if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) return bytes_of(dense->values);
  const auto& sparse = std::get<SparseTiles>(tiles.storage);
  return bytes_of(sparse.slice_start) + bytes_of(sparse.index) + bytes_of(sparse.value) +
         bytes_of(sparse.length) + bytes_of(sparse.spill_start) + bytes_of(sparse.spill_index) +
         bytes_of(sparse.spill_value);
}

template <class Array>
auto upload_array(const Array& array, const std::string& what, StreamHandle stream) {
  DeviceArray<typename Array::value_type> on_device(array.size(), what);
  copy(on_device.data(), array.data(), on_device.bytes(), stream);
  return on_device;
}

}  // namespace

DeviceTiles::DeviceTiles(TileSet tiles, const std::string& what, std::int64_t& budget,
                         const DeviceInfo& device, StreamHandle stream)
    : tiles_(std::move(tiles)),
      what_(what),
      dense_(std::holds_alternative<DenseTiles>(tiles_.storage)),
      every_tile_(whole_tiles(tiles_.shards, tiles_.owned)),
      pass_bytes_(bytes_of(tiles_)),
      signed_weight_(upload_array(tiles_.signed_weight, what, stream)),
      every_tile_on_device_(upload_array(every_tile_, what, stream)),
      list_(every_tile_.size(), "a batch's list of tiles") {
  if (pass_bytes_ <= budget) {
    budget -= pass_bytes_;
    upload(stream);
    if (!dense_) mark_hot(device, stream);
    synchronize(stream, "copy rows to the device");
    tiles_.storage = DenseTiles{};
  } else {
    streams_ = std::make_unique<Streams>(tiles_, what, budget, signed_weight_.data(), device);
    budget -= streams_->bytes();
    synchronize(stream, "copy row weights to the device");
  }
}

DeviceTiles::~DeviceTiles() = default;

void DeviceTiles::upload(StreamHandle stream) {
  const std::int64_t first = tiles_.owned.begin;
  if (const auto* dense = std::get_if<DenseTiles>(&tiles_.storage)) {
    values_ = upload_array(dense->values, what_, stream);
    view_.dense = {.values = values_.data(),
                   .signed_weight = signed_weight_.data(),
                   .features = tiles_.features,
                   .first_tile = first};
    return;
  }
  const auto& sparse = std::get<SparseTiles>(tiles_.storage);
  slice_start_ = upload_array(sparse.slice_start, what_, stream);
  index_ = upload_array(sparse.index, what_, stream);
  values_ = upload_array(sparse.value, what_, stream);
  length_ = upload_array(sparse.length, what_, stream);
  spill_start_ = upload_array(sparse.spill_start, what_, stream);
  spill_index_ = upload_array(sparse.spill_index, what_, stream);
  spill_value_ = upload_array(sparse.spill_value, what_, stream);
  view_.sparse = {.slice_start = slice_start_.data(),
                  .index = index_.data(),
                  .value = values_.data(),
                  .length = length_.data(),
                  .spill_start = spill_start_.data(),
                  .spill_index = spill_index_.data(),
                  .spill_value = spill_value_.data(),
                  .signed_weight = signed_weight_.data(),
                  .features = tiles_.features,
                  .first_tile = first,
                  .ones = sparse.implicit_ones()};
}

// Only here: rows that stream come too slowly for it to matter.
void DeviceTiles::mark_hot(const DeviceInfo& device, StreamHandle stream) {
  const std::vector<std::uint32_t> hot =
      find_hot_features(std::get<SparseTiles>(tiles_.storage), tiles_.features);
  if (hot.empty()) return;
  const std::vector<std::uint32_t> marked = marked_indices(hot, tiles_.features);
  const auto table = upload_array(marked, what_, stream);
  hot_ = upload_array(hot, what_, stream);
  map_indices(index_.data(), static_cast<std::int64_t>(index_.size()), table.data(), device,
              stream);
  map_indices(spill_index_.data(), static_cast<std::int64_t>(spill_index_.size()), table.data(),
              device, stream);
  view_.sparse.hot = hot_.data();
  view_.sparse.hot_count = static_cast<std::int32_t>(hot.size());
  synchronize(stream, "mark frequent features");  // the table goes
}

void DeviceTiles::each_piece(std::span<const TileSlice> slices, StreamHandle stream,
                             const Work& work) {
  if (streams_ != nullptr) return streams_->each_piece(slices, stream, work);
  const auto count = static_cast<std::int64_t>(slices.size());
  if (slices.data() == every_tile_.data() && slices.size() == every_tile_.size()) {
    return work(view_, every_tile_on_device_.data(), count, 0);
  }
  if (list_.size() < slices.size()) {
    synchronize(stream, "passes that read the last list");
    list_ = DeviceArray<TileSlice>(slices.size(), "a batch's list of tiles");
  }
  copy(list_.data(), slices.data(), slices.size_bytes(), stream);
  work(view_, list_.data(), count, 0);
}

}  // namespace ossau::cuda
