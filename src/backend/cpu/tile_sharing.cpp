#include "backend/cpu/tile_sharing.hpp"

#include <cmath>
#include <cstddef>
#include <variant>

namespace ossau {
namespace {

// Roughly what a pass takes: a tile's rows, and each of its stored numbers.
constexpr double kTileSeconds = 100e-9;
constexpr double kDenseSeconds = 30e-12;
constexpr double kSparseSeconds = 1e-9;

}  // namespace

std::int64_t stored_numbers(const TileSet& tiles, std::span<const TileSlice> slices) {
  const auto count = static_cast<std::int64_t>(slices.size());
  const auto* sparse = std::get_if<SparseTiles>(&tiles.storage);
  if (sparse == nullptr) return count * tiles.features * kTileRows;
  std::int64_t numbers = 0;
  for (const TileSlice& slice : slices) {
    const auto place = static_cast<std::size_t>(slice.tile - tiles.owned.begin);
    numbers += (sparse->slice_start[place + 1] - sparse->slice_start[place]) * kTileRows +
               sparse->spill_start[place + 1] - sparse->spill_start[place];
  }
  return numbers;
}

std::int64_t worthwhile_tiles(const TileSet& tiles, std::span<const TileSlice> slices,
                              std::int64_t numbers, double wake_s) {
  if (slices.empty()) return 1;
  const bool dense = std::holds_alternative<DenseTiles>(tiles.storage);
  const double tile_s = kTileSeconds + (dense ? kDenseSeconds : kSparseSeconds) *
                                           static_cast<double>(numbers) /
                                           static_cast<double>(slices.size());
  return static_cast<std::int64_t>(std::ceil(wake_s / tile_s));
}

}  // namespace ossau
