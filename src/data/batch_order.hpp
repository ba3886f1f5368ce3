#pragma once

#include <cstdint>
#include <vector>

#include "arith/epoch_order.hpp"
#include "arith/tile_slice.hpp"
#include "data/shards.hpp"

namespace ossau {

/// All tiles of `owned`, whole and in order.
std::vector<TileSlice> whole_tiles(const Shards& shards, Range owned);

/// The order in which an epoch visits tiles (docs/batch_order.md): the same for any number of
/// ranks, computed from (seed, epoch) without memory or communication.
class BatchOrder {
 public:
  BatchOrder(Shards shards, std::int64_t batch_rows, std::uint64_t seed);

  std::int64_t steps_per_epoch() const { return epoch_.steps(); }

  /// Rows of batch `step`; only an epoch's last may be short.
  std::int64_t rows_in_batch(std::int64_t step) const { return epoch_.rows_in_batch(step); }

  /// The formulas of the epoch that was started.
  const EpochOrder& epoch() const { return epoch_; }

  void start_epoch(std::int64_t epoch);

  /// Fills `slices` with the parts of batch `step` that lie in `owned` tiles.
  void select(std::int64_t step, Range owned, std::vector<TileSlice>& slices) const;

  /// Shards of the round in which not every shard has a tile, in order.
  const std::vector<std::int64_t>& last_round() const { return last_round_; }

  /// The tile visited at place k of the epoch, k in [0, tiles).
  std::int64_t tile_at(std::int64_t k) const;

 private:
  void find_short_tile();

  EpochOrder epoch_;
  std::vector<std::int64_t> last_round_;  // its shards, in order
};

}  // namespace ossau
