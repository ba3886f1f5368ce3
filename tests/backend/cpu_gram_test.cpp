#include "backend/cpu/cpu_gram.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/prepared_rows.hpp"
#include "backend/reference_solver_sums.hpp"

namespace ossau::test {
namespace {

/// Any scores, those of absent rows not finite.
AlignedVector<float> make_scores(const TileSet& tiles) {
  AlignedVector<float> scores(tiles.signed_weight.size(), NAN);
  for (std::size_t i = 0; i < row_count(tiles); ++i) {
    scores[i] = static_cast<float>(8 * uniform(11, i) - 4);
  }
  return scores;
}

/// The Gram matrix that threads make whose own matrices may take so many bytes.
void expect_reference(const PreparedRows& rows, std::int64_t threads, std::size_t most_bytes) {
  const AlignedVector<float> scores = make_scores(rows.tiles);
  const auto expected = reference_gram(
      rows.tiles,
      {scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(row_count(rows.tiles))});
  const std::vector<TileSlice> slices = every_tile(rows.tiles.shards);
  for (const CpuKernels& kernels : available_kernels()) {
    SCOPED_TRACE(kernels.name);
    ThreadPool pool(threads);
    for (const double wake_s : {0.0, 1.0}) {  // all threads, one thread
      CpuGram gram(kernels.solver.gram, pool, rows.tiles, slices, wake_s, most_bytes);
      for (int call = 0; call < 2; ++call) {
        const std::span<const std::int64_t> sums = gram.add(scores.data());
        EXPECT_EQ(std::vector<std::int64_t>(sums.begin(), sums.end()), expected);
      }
    }
  }
}

// Of more than one panel of rows and more than two blocks of columns.
TEST(CpuGram, GivesTheSameApartAndTogether) {
  const TableShape shape{.rows = 64 * 25 + 9, .columns = 70, .density = 0.6};
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    SCOPED_TRACE(layout == Layout::kDense ? "dense" : "sparse");
    const PreparedRows rows = prepare_rows(shape, layout);
    for (const std::size_t most_bytes : {kGramBytes, std::size_t{0}}) {
      for (const std::int64_t threads : {1, 3, 7}) expect_reference(rows, threads, most_bytes);
    }
  }
}

TEST(CpuGram, TakesSpilledRowsTogether) {
  for (const bool ones : {false, true}) {
    Table table;
    for (std::int64_t i = 0; i < 150; ++i) {
      add_spread_row(table, 1500, i % 40 == 7 ? 600 : i % 9, ones);
    }
    const PreparedRows rows = prepare_table(table, 1500, Layout::kSparse);
    ASSERT_GT(std::get<SparseTiles>(rows.tiles.storage).spill_row.size(), 1000u);
    expect_reference(rows, 3, 0);
  }
}

}  // namespace
}  // namespace ossau::test
