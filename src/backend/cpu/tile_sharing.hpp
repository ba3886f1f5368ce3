#pragma once

#include <cstdint>
#include <span>

#include "data/batch_order.hpp"
#include "data/tiles.hpp"

namespace ossau {

/// Stored numbers of the tiles of `slices`; for sparse tiles at least their entries.
std::int64_t stored_numbers(const TileSet& tiles, std::span<const TileSlice> slices);

/// Tiles that repay waking a thread for wake_s, of `slices` with so many stored numbers.
std::int64_t worthwhile_tiles(const TileSet& tiles, std::span<const TileSlice> slices,
                              std::int64_t numbers, double wake_s);

}  // namespace ossau
