#include "data/tile_hash.hpp"

#include <array>
#include <cstddef>
#include <vector>

#include "arith/bits.hpp"
#include "arith/permutation.hpp"

namespace ossau {
namespace {

constexpr auto kRows = static_cast<std::size_t>(kTileRows);

// One chain of multiplications a row: sixty-four that do not wait for each other.
class TileHash {
 public:
  void add(std::size_t row, std::uint32_t word) {
    std::uint64_t& chain = chains_[row];
    chain = (chain ^ word) * kFactor;
    chain ^= chain >> kShift;
  }
  void add(std::size_t row, float number) { add(row, bit_copy<std::uint32_t>(number)); }

  std::uint64_t value(std::uint64_t key) const {
    for (const std::uint64_t chain : chains_) key = mix64((key ^ chain) + kGolden);
    return key;
  }

 private:
  static constexpr std::uint64_t kFactor = 0x9fb21c651e98df25ull;  // odd, without pattern
  static constexpr int kShift = 29;

  std::array<std::uint64_t, kRows> chains_{};
};

void add_features(TileHash& hash, const DenseTiles& dense, std::size_t tile, std::size_t d) {
  const float* values = dense.values.data() + tile * d * kRows;
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t i = 0; i < kRows; ++i) hash.add(i, values[j * kRows + i]);
  }
}

void add_features(TileHash& hash, const SparseTiles& sparse, std::size_t tile, std::size_t) {
  // Whether ones are stored may differ between ranks; what they say must not.
  const bool ones = sparse.implicit_ones();
  const auto first = static_cast<std::size_t>(sparse.slice_start[tile]);
  const auto end = static_cast<std::size_t>(sparse.slice_start[tile + 1]);
  for (std::size_t i = 0; i < kRows; ++i) hash.add(i, sparse.length[tile * kRows + i]);
  for (std::size_t slice = first; slice < end; ++slice) {
    for (std::size_t i = 0; i < kRows; ++i) {
      const std::size_t slot = slice * kRows + i;
      if (slice - first >= sparse.length[tile * kRows + i]) continue;
      hash.add(i, sparse.index[slot]);
      hash.add(i, ones ? 1.0f : sparse.value[slot]);
    }
  }
  const auto spill_end = static_cast<std::size_t>(sparse.spill_start[tile + 1]);
  for (auto k = static_cast<std::size_t>(sparse.spill_start[tile]); k < spill_end; ++k) {
    hash.add(sparse.spill_row[k], sparse.spill_index[k]);
    hash.add(sparse.spill_row[k], ones ? 1.0f : sparse.spill_value[k]);
  }
}

std::uint64_t hash_of_tile(const TileSet& tiles, std::size_t tile, std::uint64_t salt) {
  TileHash hash;
  for (std::size_t i = 0; i < kRows; ++i) hash.add(i, tiles.signed_weight[tile * kRows + i]);
  const auto d = static_cast<std::size_t>(tiles.features);
  std::visit([&](const auto& storage) { add_features(hash, storage, tile, d); }, tiles.storage);
  const auto number = static_cast<std::uint64_t>(tiles.owned.begin) + tile;
  return hash.value(make_key(salt, number, 0));
}

}  // namespace

Int128 hash_of_rows(const TileSet& tiles, std::uint64_t salt, ThreadPool& pool) {
  std::vector<Int128> sums(static_cast<std::size_t>(pool.size()), 0);
  pool.split(tiles.owned.size(), 1, [&](std::int64_t thread, std::int64_t begin, std::int64_t end) {
    Int128 mine = 0;
    for (std::int64_t tile = begin; tile < end; ++tile) {
      mine += hash_of_tile(tiles, static_cast<std::size_t>(tile), salt);
    }
    sums[static_cast<std::size_t>(thread)] = mine;
  });
  Int128 sum = 0;
  for (const Int128 mine : sums) sum += mine;
  return sum;
}

}  // namespace ossau
