#pragma once

#include <cstdint>
#include <vector>

#include "data/tiles.hpp"

namespace ossau::cuda {

/// The features that come most often in a sample of sparse rows, if any come so often that adding
/// to their sums would hold up a device: few, since a block keeps them in its shared memory.
std::vector<std::uint32_t> find_hot_features(const SparseTiles& tiles, std::int64_t features);

/// What becomes of each index: kHotFeature + the place in `hot`, or itself.
std::vector<std::uint32_t> marked_indices(const std::vector<std::uint32_t>& hot,
                                          std::int64_t features);

}  // namespace ossau::cuda
