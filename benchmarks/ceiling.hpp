#pragma once

#include <cstdint>

#include "data/tiles.hpp"
#include "pairs.hpp"

namespace ossau::bench {

/// Seconds of a pass over a copy of `rows` that computes as little as can be: a bare read of dense
/// rows, a bare gather and scatter over the indices of sparse ones (backend/cpu/bare_pass.hpp).
/// The threads are awake: waking them is no part of the ceiling.
Timed bare_pass(const TileSet& rows, std::int64_t threads);

/// Seconds of a bare read of as many bytes.
Timed bare_read(double bytes, std::int64_t threads);

/// What bare_pass() does with these rows, in words.
const char* bare_pass_name(const TileSet& rows);

/// A full pass over `rows`, its work still to be filled in, beside a bare one.
Pair full_pass_pair(const TileSet& rows, std::int64_t threads);

}  // namespace ossau::bench
