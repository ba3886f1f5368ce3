#pragma once

#include <cstdint>
#include <vector>

#include "data/shards.hpp"

namespace ossau {

/// The rows of one tile that belong to a batch.
struct TileSlice {
  std::int64_t tile = 0;       // in the whole data, not in a rank's part
  std::int32_t row_begin = 0;  // in the tile
  std::int32_t row_end = 0;

  bool operator==(const TileSlice&) const = default;
};

/// The order in which an epoch visits tiles (docs/batch_order.md): the same for any number of
/// ranks, computed from (seed, epoch) without memory or communication.
class BatchOrder {
 public:
  BatchOrder(Shards shards, std::int64_t batch_rows, std::uint64_t seed);

  std::int64_t steps_per_epoch() const;

  /// Rows of batch `step`; only an epoch's last may be short.
  std::int64_t rows_in_batch(std::int64_t step) const;

  void start_epoch(std::int64_t epoch);

  /// Fills `slices` with the parts of batch `step` that lie in `owned` tiles.
  void select(std::int64_t step, Range owned, std::vector<TileSlice>& slices) const;

  /// The tile visited at place k of the epoch, k in [0, tiles).
  std::int64_t tile_at(std::int64_t k) const;

 private:
  std::int64_t shard_at(std::int64_t round, std::int64_t i) const;
  std::int64_t tile_of_round(std::int64_t shard, std::int64_t round) const;
  void find_short_tile();
  std::int64_t place_of_row(std::int64_t position) const;
  std::int64_t first_row_at(std::int64_t k) const;

  Shards shards_;
  std::int64_t batch_rows_;
  std::uint64_t seed_;
  std::int64_t epoch_ = 0;
  int shard_bits_ = 0;
  std::int64_t full_rounds_ = 0;          // rounds in which every shard has a tile
  std::vector<std::int64_t> last_round_;  // its shards, in order
  std::int64_t short_place_ = 0;          // place of the last tile, the only one that may be short
};

}  // namespace ossau
