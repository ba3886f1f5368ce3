#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/cpu/kernels.hpp"
#include "backend/solver_passes.hpp"
#include "data/tiles.hpp"

namespace ossau {

/// The entries of one row that are not 0, by ascending columns.
struct GramRow {
  std::vector<std::uint32_t> column;
  std::vector<std::int32_t> entry;
  std::size_t count = 0;

  GramRow() = default;
  explicit GramRow(std::size_t longest) : column(longest), entry(longest) {}

  void add(std::size_t j, std::int32_t q) {
    column[count] = static_cast<std::uint32_t>(j);
    entry[count] = q;
    count += q != 0 ? 1 : 0;
  }
};

/// Rows mine, mine + of, ... of the triangle.
struct TriangleShare {
  std::size_t mine = 0;
  std::size_t of = 1;
};

/// Entries of the longest row.
std::size_t longest_row(const SparseTiles& tiles);

/// Adds the products of some rows that go into a share of the triangle to `gram`.
/// row: room for the longest row's entries and the intercept's.
void add_sparse_gram(const SparseTiles& tiles, const GramRows& rows, const GramLayout& layout,
                     TriangleShare share, GramRow& row, std::int64_t* gram);

}  // namespace ossau
