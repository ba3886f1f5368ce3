#include "data/batch_order.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "arith/permutation.hpp"

namespace ossau {
namespace {

std::uint64_t reverse_bits(std::uint64_t x, int bits) {
  std::uint64_t reversed = 0;
  for (int i = 0; i < bits; ++i) reversed |= (x >> i & 1) << (bits - 1 - i);
  return reversed;
}

// Keys of the rotation of rounds and of the orders inside shards must differ.
constexpr std::uint64_t kRotation = ~std::uint64_t{0};

}  // namespace

BatchOrder::BatchOrder(Shards shards, std::int64_t batch_rows, std::uint64_t seed)
    : shards_(shards),
      batch_rows_(batch_rows == 0 ? shards.rows() : std::min(batch_rows, shards.rows())),
      seed_(seed),
      shard_bits_(std::countr_zero(static_cast<std::uint64_t>(shards.count()))),
      full_rounds_(shards.tiles() / shards.count()) {
  start_epoch(0);
}

std::int64_t BatchOrder::steps_per_epoch() const {
  return (shards_.rows() + batch_rows_ - 1) / batch_rows_;
}

std::int64_t BatchOrder::rows_in_batch(std::int64_t step) const {
  return std::min(batch_rows_, shards_.rows() - step * batch_rows_);
}

void BatchOrder::start_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  last_round_.clear();
  for (std::int64_t i = 0; i < shards_.count(); ++i) {
    const std::int64_t shard = shard_at(full_rounds_, i);
    if (shards_.tiles_of_shard(shard).size() > full_rounds_) last_round_.push_back(shard);
  }
  find_short_tile();
}

std::int64_t BatchOrder::shard_at(std::int64_t round, std::int64_t i) const {
  const std::uint64_t rotation =
      mix64(make_key(seed_, static_cast<std::uint64_t>(epoch_), kRotation) +
            static_cast<std::uint64_t>(round));
  const std::uint64_t turned =
      (static_cast<std::uint64_t>(i) + rotation) & static_cast<std::uint64_t>(shards_.count() - 1);
  return static_cast<std::int64_t>(reverse_bits(turned, shard_bits_));
}

std::int64_t BatchOrder::tile_of_round(std::int64_t shard, std::int64_t round) const {
  const Range tiles = shards_.tiles_of_shard(shard);
  const Permutation order(
      static_cast<std::uint64_t>(tiles.size()),
      make_key(seed_, static_cast<std::uint64_t>(epoch_), static_cast<std::uint64_t>(shard)));
  return tiles.begin + static_cast<std::int64_t>(order(static_cast<std::uint64_t>(round)));
}

std::int64_t BatchOrder::tile_at(std::int64_t k) const {
  const std::int64_t round = k / shards_.count();
  const std::int64_t i = k % shards_.count();
  const std::int64_t shard =
      round < full_rounds_ ? shard_at(round, i) : last_round_[static_cast<std::size_t>(i)];
  return tile_of_round(shard, round);
}

void BatchOrder::find_short_tile() {
  const std::int64_t tile = shards_.tiles() - 1;
  std::int64_t shard = shards_.count() - 1;
  while (shards_.tiles_of_shard(shard).size() == 0) --shard;
  const Range tiles = shards_.tiles_of_shard(shard);
  const Permutation order(
      static_cast<std::uint64_t>(tiles.size()),
      make_key(seed_, static_cast<std::uint64_t>(epoch_), static_cast<std::uint64_t>(shard)));
  const auto round =
      static_cast<std::int64_t>(order.inverse(static_cast<std::uint64_t>(tile - tiles.begin)));
  std::int64_t i = 0;
  while ((round < full_rounds_ ? shard_at(round, i) : last_round_[static_cast<std::size_t>(i)]) !=
         shard) {
    ++i;
  }
  short_place_ = round * shards_.count() + i;
}

std::int64_t BatchOrder::first_row_at(std::int64_t k) const {
  const std::int64_t missing = shards_.tiles() * kTileRows - shards_.rows();
  return k * kTileRows - (k > short_place_ ? missing : 0);
}

std::int64_t BatchOrder::place_of_row(std::int64_t position) const {
  const std::int64_t missing = shards_.tiles() * kTileRows - shards_.rows();
  const std::int64_t after_short = first_row_at(short_place_) + kTileRows - missing;
  return (position < after_short ? position : position + missing) / kTileRows;
}

void BatchOrder::select(std::int64_t step, Range owned, std::vector<TileSlice>& slices) const {
  slices.clear();
  const std::int64_t begin = step * batch_rows_;
  const std::int64_t end = begin + rows_in_batch(step);
  for (std::int64_t k = place_of_row(begin); first_row_at(k) < end && k < shards_.tiles(); ++k) {
    const std::int64_t tile = tile_at(k);
    if (!owned.contains(tile)) continue;
    const std::int64_t first = first_row_at(k);
    slices.push_back(
        {.tile = tile,
         .row_begin = static_cast<std::int32_t>(std::max<std::int64_t>(begin - first, 0)),
         .row_end = static_cast<std::int32_t>(std::min(end - first, shards_.rows_in_tile(tile)))});
  }
}

}  // namespace ossau
