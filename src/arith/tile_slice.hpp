#pragma once

#include <cstdint>

namespace ossau {

/// The rows of one tile that belong to a batch.
struct TileSlice {
  std::int64_t tile = 0;       // in the whole data, not in a rank's part
  std::int32_t row_begin = 0;  // in the tile
  std::int32_t row_end = 0;

  bool operator==(const TileSlice&) const = default;
};

}  // namespace ossau
