#pragma once

#include <algorithm>
#include <cstdint>

#include "arith/contract.hpp"
#include "core/range.hpp"
#include "core/rank.hpp"

namespace ossau {

/// How n rows are cut into tiles, tiles into virtual shards and shards among ranks.  Only the last
/// says who adds; none of it depends on the number of ranks.
class Shards {
 public:
  Shards(std::int64_t rows, std::int64_t shards) : rows_(rows), shards_(shards) {}

  std::int64_t rows() const { return rows_; }
  std::int64_t count() const { return shards_; }
  std::int64_t tiles() const { return (rows_ + kTileRows - 1) / kTileRows; }

  /// Tiles of virtual shard v; may be empty.
  Range tiles_of_shard(std::int64_t v) const { return {first_tile(v), first_tile(v + 1)}; }

  /// Tiles of a rank: those of its shards, which are neighbours.
  Range tiles_of_rank(RankInfo rank) const {
    return {first_tile(rank.rank * shards_ / rank.size),
            first_tile((rank.rank + 1) * shards_ / rank.size)};
  }

  /// Rows of a range of tiles.
  Range rows_of_tiles(Range range) const {
    return {std::min(rows_, range.begin * kTileRows), std::min(rows_, range.end * kTileRows)};
  }

  /// Rows of one tile: 64, fewer only in the last.
  std::int64_t rows_in_tile(std::int64_t tile) const {
    return std::min(kTileRows, rows_ - tile * kTileRows);
  }

 private:
  std::int64_t first_tile(std::int64_t v) const {
    // 128 bits: shards * tiles may pass 2^63 for absurd inputs only, but then silently.
    __extension__ using Wide = __int128;
    return static_cast<std::int64_t>(Wide{v} * tiles() / shards_);
  }

  std::int64_t rows_;
  std::int64_t shards_;
};

}  // namespace ossau
