#include "backend/cpu/sparse_gram.hpp"

#include <algorithm>

#include "arith/gram.hpp"

namespace ossau {
namespace {

constexpr auto kRows = static_cast<std::size_t>(kTileRows);

// Reads one tile's rows in order.
class TileRows {
 public:
  TileRows(const SparseTiles& tiles, std::size_t tile)
      : tiles_(tiles),
        ones_(tiles.implicit_ones()),
        first_slot_(static_cast<std::size_t>(tiles.slice_start[tile]) * kRows),
        slices_(static_cast<std::size_t>(tiles.slice_start[tile + 1] - tiles.slice_start[tile])),
        length_(tiles.length.data() + tile * kRows),
        spill_(static_cast<std::size_t>(tiles.spill_start[tile])) {}

  // The entries of the next row, which is row i; root 0 leaves none.
  void next(std::size_t i, float root, GramRow& row) {
    row.count = 0;
    const std::size_t length = length_[i];
    const std::size_t here = std::min(length, slices_);
    const std::size_t spilled = length - here;
    if (root != 0) {
      for (std::size_t k = 0; k < here; ++k) {
        const std::size_t slot = first_slot_ + k * kRows + i;
        row.add(tiles_.index[slot], gram_entry(root, ones_ ? 1.0f : tiles_.value[slot]));
      }
      for (std::size_t k = spill_; k < spill_ + spilled; ++k) {
        row.add(tiles_.spill_index[k], gram_entry(root, ones_ ? 1.0f : tiles_.spill_value[k]));
      }
    }
    spill_ += spilled;
  }

 private:
  const SparseTiles& tiles_;
  bool ones_;
  std::size_t first_slot_;
  std::size_t slices_;
  const std::uint32_t* length_;
  std::size_t spill_;  // where the next row's begin
};

void add_products(const GramRow& row, const GramLayout& layout, TriangleShare share,
                  std::int64_t* gram) {
  for (std::size_t a = 0; a < row.count; ++a) {
    const std::size_t i = row.column[a];
    if (share.of > 1 && i % share.of != share.mine) continue;
    std::int64_t* sums = gram + layout.row(i);
    const std::int64_t q = row.entry[a];
    for (std::size_t b = a; b < row.count; ++b) sums[row.column[b] - i] += q * row.entry[b];
  }
}

}  // namespace

std::size_t longest_row(const SparseTiles& tiles) {
  return tiles.length.empty() ? 0 : *std::max_element(tiles.length.begin(), tiles.length.end());
}

void add_sparse_gram(const SparseTiles& tiles, const GramRows& rows, const GramLayout& layout,
                     TriangleShare share, GramRow& row, std::int64_t* gram) {
  for (std::size_t t = 0; t < rows.tiles; ++t) {
    TileRows of_tile(tiles, rows.first + t);
    for (std::size_t i = 0; i < kRows; ++i) {
      const float root = rows.roots[t * kRows + i];
      of_tile.next(i, root, row);
      row.add(layout.features, gram_entry(root, 1.0f));
      add_products(row, layout, share, gram);
    }
  }
}

}  // namespace ossau
