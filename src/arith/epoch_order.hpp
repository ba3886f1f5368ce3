#pragma once

#include <cstdint>

#include "arith/contract.hpp"
#include "arith/permutation.hpp"

namespace ossau {

/// What the order of one epoch follows from (docs/batch_order.md), and the formulas: plain numbers,
/// the same on hosts and devices.
struct EpochOrder {
  std::int64_t rows = 0;
  std::int64_t batch_rows = 1;
  std::int64_t shards = 1;       // V, a power of two
  int shard_bits = 0;            // log2 V
  std::int64_t full_rounds = 0;  // rounds in which every shard has a tile
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::int64_t short_place = 0;  // place of the last tile, the only one that may be short

  OSSAU_HOST_DEVICE std::int64_t tiles() const { return (rows + kTileRows - 1) / kTileRows; }
  OSSAU_HOST_DEVICE std::int64_t rows_in_tile(std::int64_t tile) const {
    const std::int64_t left = rows - tile * kTileRows;
    return left < kTileRows ? left : kTileRows;
  }
  OSSAU_HOST_DEVICE std::int64_t steps() const { return (rows + batch_rows - 1) / batch_rows; }
  /// Rows of batch `step`; only an epoch's last may be short.
  OSSAU_HOST_DEVICE std::int64_t rows_in_batch(std::int64_t step) const {
    const std::int64_t left = rows - step * batch_rows;
    return left < batch_rows ? left : batch_rows;
  }

  /// First tile of virtual shard v, v in [0, V].
  OSSAU_HOST_DEVICE std::int64_t first_tile(std::int64_t v) const {
    __extension__ using Wide = __int128;
    return static_cast<std::int64_t>((Wide{v} * tiles()) >> shard_bits);
  }
  /// Whether shard v has a tile for this round.
  OSSAU_HOST_DEVICE bool takes_part(std::int64_t v, std::int64_t round) const {
    return round < full_rounds || first_tile(v + 1) - first_tile(v) > round;
  }
  /// The shard that comes i-th in a round of all shards.
  OSSAU_HOST_DEVICE std::int64_t shard_at(std::int64_t round, std::int64_t i) const {
    // Keys of the rotation of rounds and of the orders inside shards must differ.
    constexpr std::uint64_t kRotation = ~std::uint64_t{0};
    const std::uint64_t rotation =
        mix64(make_key(seed, static_cast<std::uint64_t>(epoch), kRotation) +
              static_cast<std::uint64_t>(round));
    const std::uint64_t turned =
        (static_cast<std::uint64_t>(i) + rotation) & static_cast<std::uint64_t>(shards - 1);
    std::uint64_t reversed = 0;
    for (int bit = 0; bit < shard_bits; ++bit) {
      reversed |= (turned >> bit & 1) << (shard_bits - 1 - bit);
    }
    return static_cast<std::int64_t>(reversed);
  }

  /// The order in which a shard visits its tiles, counted from its first.
  OSSAU_HOST_DEVICE Permutation order_of_shard(std::int64_t v) const {
    return {static_cast<std::uint64_t>(first_tile(v + 1) - first_tile(v)),
            make_key(seed, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(v))};
  }
  OSSAU_HOST_DEVICE std::int64_t tile_of_round(std::int64_t v, std::int64_t round) const {
    return first_tile(v) +
           static_cast<std::int64_t>(order_of_shard(v)(static_cast<std::uint64_t>(round)));
  }

  /// Position of the first row of the tile at place k of the epoch.
  OSSAU_HOST_DEVICE std::int64_t first_row_at(std::int64_t k) const {
    const std::int64_t missing = tiles() * kTileRows - rows;
    return k * kTileRows - (k > short_place ? missing : 0);
  }
  /// Place of the tile that has the row at a position of the epoch.
  OSSAU_HOST_DEVICE std::int64_t place_of_row(std::int64_t position) const {
    const std::int64_t missing = tiles() * kTileRows - rows;
    const std::int64_t after_short = first_row_at(short_place) + kTileRows - missing;
    return (position < after_short ? position : position + missing) / kTileRows;
  }
};

}  // namespace ossau
