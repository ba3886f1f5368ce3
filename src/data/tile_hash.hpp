#pragma once

#include <cstdint>

#include "arith/wide_sum.hpp"
#include "core/thread_pool.hpp"
#include "data/tiles.hpp"

namespace ossau {

/// A sum of one hash a tile over the rows that are here, labels and weights included: added over
/// the ranks it tells data from other data.  It knows where a tile is, so order counts.  Made to
/// notice changes, not to withstand those who try.
/// salt: for telling sets of rows apart.
Int128 hash_of_rows(const TileSet& tiles, std::uint64_t salt, ThreadPool& pool);

}  // namespace ossau
