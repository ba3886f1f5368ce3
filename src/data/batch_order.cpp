#include "data/batch_order.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace ossau {

std::vector<TileSlice> whole_tiles(const Shards& shards, Range owned) {
  std::vector<TileSlice> slices;
  slices.reserve(static_cast<std::size_t>(owned.size()));
  for (std::int64_t tile = owned.begin; tile < owned.end; ++tile) {
    slices.push_back({.tile = tile,
                      .row_begin = 0,
                      .row_end = static_cast<std::int32_t>(shards.rows_in_tile(tile))});
  }
  return slices;
}

BatchOrder::BatchOrder(Shards shards, std::int64_t batch_rows, std::uint64_t seed) {
  epoch_.rows = shards.rows();
  epoch_.batch_rows = batch_rows == 0 ? shards.rows() : std::min(batch_rows, shards.rows());
  epoch_.shards = shards.count();
  epoch_.shard_bits = std::countr_zero(static_cast<std::uint64_t>(shards.count()));
  epoch_.full_rounds = shards.tiles() / shards.count();
  epoch_.seed = seed;
  start_epoch(0);
}

void BatchOrder::start_epoch(std::int64_t epoch) {
  epoch_.epoch = epoch;
  last_round_.clear();
  for (std::int64_t i = 0; i < epoch_.shards; ++i) {
    const std::int64_t shard = epoch_.shard_at(epoch_.full_rounds, i);
    if (epoch_.takes_part(shard, epoch_.full_rounds)) last_round_.push_back(shard);
  }
  find_short_tile();
}

std::int64_t BatchOrder::tile_at(std::int64_t k) const {
  const std::int64_t round = k / epoch_.shards;
  const std::int64_t i = k % epoch_.shards;
  const std::int64_t shard = round < epoch_.full_rounds ? epoch_.shard_at(round, i)
                                                        : last_round_[static_cast<std::size_t>(i)];
  return epoch_.tile_of_round(shard, round);
}

void BatchOrder::find_short_tile() {
  const std::int64_t tile = epoch_.tiles() - 1;
  std::int64_t shard = epoch_.shards - 1;
  while (epoch_.first_tile(shard) > tile) --shard;
  const auto place = static_cast<std::uint64_t>(tile - epoch_.first_tile(shard));
  const auto round = static_cast<std::int64_t>(epoch_.order_of_shard(shard).inverse(place));
  std::int64_t i = 0;
  while ((round < epoch_.full_rounds ? epoch_.shard_at(round, i)
                                     : last_round_[static_cast<std::size_t>(i)]) != shard) {
    ++i;
  }
  epoch_.short_place = round * epoch_.shards + i;
}

void BatchOrder::select(std::int64_t step, Range owned, std::vector<TileSlice>& slices) const {
  slices.clear();
  const std::int64_t begin = step * epoch_.batch_rows;
  const std::int64_t end = begin + rows_in_batch(step);
  const std::int64_t tiles = epoch_.tiles();
  for (std::int64_t k = epoch_.place_of_row(begin); k < tiles && epoch_.first_row_at(k) < end;
       ++k) {
    const std::int64_t tile = tile_at(k);
    if (!owned.contains(tile)) continue;
    const std::int64_t first = epoch_.first_row_at(k);
    slices.push_back(
        {.tile = tile,
         .row_begin = static_cast<std::int32_t>(std::max<std::int64_t>(begin - first, 0)),
         .row_end = static_cast<std::int32_t>(std::min(end - first, epoch_.rows_in_tile(tile)))});
  }
}

}  // namespace ossau
