#include "backend/cuda/hot_features.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "arguments.hpp"

namespace ossau::cuda {
namespace {

// 3 KiB of shared memory.  Of features drawn log-uniformly from a million they are 40 % of all
// entries; the others share the rest so widely that none is waited for.
constexpr std::size_t kMostHot = 256;

// A feature with fewer than one entry in so many holds nobody up.
constexpr std::int64_t kRare = 4096;

// Tiles that are looked at, evenly spread: enough to see what comes often.
constexpr std::size_t kSampledTiles = 4096;

// Entries of a sample of the tiles, by feature.
std::vector<std::uint32_t> sample_counts(const SparseTiles& tiles, std::int64_t features) {
  constexpr auto kRows = static_cast<std::size_t>(kTileRows);
  std::vector<std::uint32_t> counts(static_cast<std::size_t>(features), 0);
  const std::size_t stride = tiles.slice_start.size() / kSampledTiles + 1;
  for (std::size_t tile = 0; tile + 1 < tiles.slice_start.size(); tile += stride) {
    const auto first = static_cast<std::size_t>(tiles.slice_start[tile]);
    const auto end = static_cast<std::size_t>(tiles.slice_start[tile + 1]);
    for (std::size_t slice = first; slice < end; ++slice) {
      for (std::size_t row = 0; row < kRows; ++row) {
        const bool present = slice - first < tiles.length[tile * kRows + row];
        if (present) ++counts[tiles.index[slice * kRows + row]];
      }
    }
    const auto spill_end = static_cast<std::size_t>(tiles.spill_start[tile + 1]);
    for (auto k = static_cast<std::size_t>(tiles.spill_start[tile]); k < spill_end; ++k) {
      ++counts[tiles.spill_index[k]];
    }
  }
  return counts;
}

}  // namespace

std::vector<std::uint32_t> find_hot_features(const SparseTiles& tiles, std::int64_t features) {
  if (features >= std::int64_t{kHotFeature}) return {};  // no bit is left to mark them
  const std::vector<std::uint32_t> counts = sample_counts(tiles, features);
  const std::int64_t entries = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  std::vector<std::uint32_t> hot;
  for (std::uint32_t j = 0; j < counts.size(); ++j) {
    if (counts[j] > 1 && counts[j] * kRare >= entries) hot.push_back(j);
  }
  const std::size_t kept = std::min(hot.size(), kMostHot);
  std::partial_sort(hot.begin(), hot.begin() + static_cast<std::ptrdiff_t>(kept), hot.end(),
                    [&](std::uint32_t a, std::uint32_t b) {
                      return counts[a] != counts[b] ? counts[a] > counts[b] : a < b;
                    });
  hot.resize(kept);
  return hot;
}

std::vector<std::uint32_t> marked_indices(const std::vector<std::uint32_t>& hot,
                                          std::int64_t features) {
  std::vector<std::uint32_t> marked(static_cast<std::size_t>(features));
  std::iota(marked.begin(), marked.end(), 0U);
  for (std::uint32_t i = 0; i < hot.size(); ++i) marked[hot[i]] = kHotFeature + i;
  return marked;
}

}  // namespace ossau::cuda
