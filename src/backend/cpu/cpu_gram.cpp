#include "backend/cpu/cpu_gram.hpp"

#include <algorithm>
#include <variant>

#include "backend/cpu/gradient_sums.hpp"
#include "backend/cpu/tile_sharing.hpp"

namespace ossau {
namespace {

// Of panels that threads share: so many that meeting after each time costs little.
constexpr std::size_t kSharedPanelBytes = std::size_t{16} << 20;

// Roughly what a pair of stored numbers of a row takes.
constexpr double kDensePairSeconds = 23e-12;
constexpr double kSparsePairSeconds = 1e-9;

// What the panel of a Gram matrix takes, about.
double panel_seconds(const TileSet& tiles, std::span<const TileSlice> slices) {
  const bool dense = std::holds_alternative<DenseTiles>(tiles.storage);
  const auto rows = static_cast<double>(slices.size()) * kTileRows;
  const double numbers = 1 + static_cast<double>(stored_numbers(tiles, slices)) / rows;
  return static_cast<double>(kGramRows) * numbers * numbers / 2 *
         (dense ? kDensePairSeconds : kSparsePairSeconds);
}

std::size_t pairs_of_blocks(std::size_t columns) {
  const std::size_t blocks = gram_blocks(columns);
  return blocks * (blocks + 1) / 2;
}

// In the order (0, 0), (0, 1), (1, 1), (0, 2), ...: neighbours share the second block.
GramBlock pair_of_blocks(std::size_t number) {
  GramBlock block;
  while ((block.j + 1) * (block.j + 2) / 2 <= number) ++block.j;
  block.i = number - block.j * (block.j + 1) / 2;
  return block;
}

}  // namespace

CpuGram::CpuGram(const GramKernels& kernels, ThreadPool& pool, const TileSet& tiles,
                 std::span<const TileSlice> slices, double wake_s, std::size_t most_bytes)
    : kernels_(kernels),
      pool_(pool),
      tiles_(tiles),
      slices_(slices),
      layout_{static_cast<std::size_t>(tiles.features)},
      most_bytes_(most_bytes),
      together_(pool.size() > 1 &&
                static_cast<std::size_t>(pool.size()) * layout_.size() * sizeof(std::int64_t) >
                    most_bytes),
      panel_grain_(slices.empty()
                       ? 1
                       : 1 + static_cast<std::int64_t>(wake_s / panel_seconds(tiles, slices))),
      threads_(static_cast<std::size_t>(pool.size())) {
  const auto* sparse = std::get_if<SparseTiles>(&tiles.storage);
  const std::size_t longest = sparse == nullptr ? 0 : longest_row(*sparse);
  for (Thread& thread : threads_) {
    if (!together_ || &thread == threads_.data()) thread.gram.resize(layout_.size());
    thread.roots.resize(kGramRows);
    if (sparse != nullptr) {
      thread.row = GramRow(longest + 1);
    } else if (!together_) {
      thread.panel.resize(panel_size());
    }
  }
}

std::span<std::int64_t> CpuGram::add(const float* at) {
  if (const auto* dense = std::get_if<DenseTiles>(&tiles_.storage)) {
    if (together_) {
      add_dense_together(*dense, at);
    } else {
      add_apart(at, [&](Thread& thread, const GramRows& rows) { add_dense(*dense, rows, thread); });
    }
  } else {
    const auto& sparse = std::get<SparseTiles>(tiles_.storage);
    if (together_) {
      add_sparse_together(sparse, at);
    } else {
      add_apart(at, [&](Thread& thread, const GramRows& rows) {
        add_sparse_gram(sparse, rows, layout_, {}, thread.row, thread.gram.data());
      });
    }
  }
  return threads_[0].gram;
}

std::int64_t CpuGram::panels() const {
  return static_cast<std::int64_t>((slices_.size() + kGramTiles - 1) / kGramTiles);
}

GramRows CpuGram::rows_of(std::int64_t panel, const float* at, float* roots) const {
  const std::size_t first = static_cast<std::size_t>(panel) * kGramTiles;
  const std::size_t tiles = std::min(kGramTiles, slices_.size() - first);
  const std::size_t row = first * static_cast<std::size_t>(kTileRows);
  kernels_.roots(tiles_.signed_weight.data() + row, at + row,
                 tiles * static_cast<std::size_t>(kTileRows), roots);
  return {.first = first, .tiles = tiles, .roots = roots};
}

template <class Add>
void CpuGram::add_apart(const float* at, const Add& add) {
  for (Thread& thread : threads_) thread.took_part = false;
  pool_.share(panels(), panel_grain_,
              [&](std::int64_t number, std::int64_t begin, std::int64_t end) {
                Thread& thread = threads_[static_cast<std::size_t>(number)];
                if (!thread.took_part) std::fill(thread.gram.begin(), thread.gram.end(), 0);
                thread.took_part = true;
                for (std::int64_t i = begin; i < end; ++i)
                  add(thread, rows_of(i, at, thread.roots.data()));
              });
  add_matrices();
}

void CpuGram::add_matrices() {
  std::int64_t* result = threads_[0].gram.data();
  pool_.split(static_cast<std::int64_t>(layout_.size()), kFeatureGrain,
              [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                if (!threads_[0].took_part) std::fill(result + begin, result + end, 0);
                for (std::size_t i = 1; i < threads_.size(); ++i) {
                  if (!threads_[i].took_part) continue;
                  const std::int64_t* other = threads_[i].gram.data();
                  for (std::int64_t k = begin; k < end; ++k) result[k] += other[k];
                }
              });
}

void CpuGram::clear_matrix() {
  std::int64_t* gram = threads_[0].gram.data();
  pool_.split(static_cast<std::int64_t>(layout_.size()), kFeatureGrain,
              [&](std::int64_t, std::int64_t begin, std::int64_t end) {
                std::fill(gram + begin, gram + end, 0);
              });
}

void CpuGram::add_dense(const DenseTiles& dense, const GramRows& rows, Thread& thread) const {
  kernels_.pack(dense, layout_.features, rows, {0, columns()}, thread.panel.data());
  for (std::size_t j = 0; j < gram_blocks(columns()); ++j) {
    for (std::size_t i = 0; i <= j; ++i) {
      kernels_.add(thread.panel.data(), rows.tiles, columns(), {i, j}, thread.gram.data());
    }
  }
}

void CpuGram::add_dense_together(const DenseTiles& dense, const float* at) {
  const std::size_t fit =
      std::min(kSharedPanelBytes, most_bytes_) / (panel_size() * sizeof(std::int16_t));
  const std::int64_t at_once = std::clamp<std::int64_t>(static_cast<std::int64_t>(fit), 1,
                                                        std::max<std::int64_t>(panels(), 1));
  panels_.resize(static_cast<std::size_t>(at_once) * panel_size());
  roots_.resize(static_cast<std::size_t>(at_once) * kGramRows);
  rows_.resize(static_cast<std::size_t>(at_once));
  clear_matrix();
  for (std::int64_t first = 0; first < panels(); first += at_once) {
    const std::int64_t count = std::min(at_once, panels() - first);
    make_panels(dense, at, first, count);
    add_panels(count);
  }
}

void CpuGram::make_panels(const DenseTiles& dense, const float* at, std::int64_t first,
                          std::int64_t count) {
  pool_.share(count, 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const auto place = static_cast<std::size_t>(k);
      rows_[place] = rows_of(first + k, at, roots_.data() + place * kGramRows);
    }
  });
  const auto blocks = static_cast<std::int64_t>(gram_blocks(columns()));
  pool_.share(count * blocks, 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      const auto place = static_cast<std::size_t>(item / blocks);
      const auto block = static_cast<std::size_t>(item % blocks);
      kernels_.pack(dense, layout_.features, rows_[place], gram_block_columns(block, columns()),
                    panels_.data() + place * panel_size());
    }
  });
}

void CpuGram::add_panels(std::int64_t count) {
  const auto pairs = static_cast<std::int64_t>(pairs_of_blocks(columns()));
  pool_.share(pairs, 1, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin; pair < end; ++pair) {
      const GramBlock block = pair_of_blocks(static_cast<std::size_t>(pair));
      for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
        kernels_.add(panels_.data() + k * panel_size(), rows_[k].tiles, columns(), block,
                     threads_[0].gram.data());
      }
    }
  });
}

void CpuGram::add_sparse_together(const SparseTiles& sparse, const float* at) {
  clear_matrix();
  pool_.run([&](std::int64_t number) {
    Thread& thread = threads_[static_cast<std::size_t>(number)];
    const TriangleShare share{.mine = static_cast<std::size_t>(number), .of = threads_.size()};
    for (std::int64_t i = 0; i < panels(); ++i) {
      add_sparse_gram(sparse, rows_of(i, at, thread.roots.data()), layout_, share, thread.row,
                      threads_[0].gram.data());
    }
  });
}

}  // namespace ossau
