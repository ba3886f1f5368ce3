#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned.hpp"
#include "core/thread_pool.hpp"
#include "data/tiles.hpp"
#include "ossau/config.hpp"

namespace ossau {

// The machine's ceiling: passes over rows that touch the memory that training must touch and
// compute as little as can be.  What they return depends on every number that they read, so that no
// compiler can leave a read out.

/// Whether a bare gather asks for what it will need before it needs it: faster where weights and
/// sums are larger than the caches, slower where they are not.
enum class Prefetch { kNo, kYes };

/// What a bare gather and scatter works on besides rows.
struct BareTarget {
  const float* weights = nullptr;  // [d]
  std::int64_t* sums = nullptr;    // [d]
};

/// The bare passes compiled for one instruction set.
struct BarePasses {
  Simd simd;
  const char* name;

  /// Reads all of `values`; returns the sum of their bits, modulo 2^32.
  std::uint32_t (*read)(std::span<const float> values);

  /// For the tiles at `places`: reads every stored value, the weight of every slot and spilled
  /// entry, and adds 1 to sums[j] for each entry of feature j.  Returns the sum of the bits of the
  /// values and weights read, modulo 2^32; slots past a row's end count too, with weight 0.
  std::uint32_t (*gather_and_scatter)(const SparseTiles& tiles, Range places, BareTarget target,
                                      Prefetch prefetch);
};

/// The passes that this processor can run, the fastest first, the scalar ones last.
std::vector<BarePasses> available_bare_passes();

/// Seconds that one bare pass over all of `tiles` takes, each thread of the pool at its even share
/// of them: the median of `repetitions` after one pass to warm up, of the faster kind for sparse
/// tiles.  0 without tiles.  `sums`: one [at least d] for each thread, overwritten.
double bare_pass_s(const TileSet& tiles, ThreadPool& pool, int repetitions, const float* weights,
                   std::span<AlignedVector<std::int64_t>> sums);

/// The same with weights and sums of its own.
double bare_pass_s(const TileSet& tiles, ThreadPool& pool, int repetitions);

/// bare_pass_s() at a bounded price, under half a second on most machines: of the first tiles of
/// each thread where all would take too long, still far more than caches hold, and scaled up.
double estimate_bare_pass_s(const TileSet& tiles, ThreadPool& pool, const float* weights,
                            std::span<AlignedVector<std::int64_t>> sums);

/// The same of about `sample_bytes` of the tiles: at least one in each thread that has any.
double estimate_bare_pass_s(const TileSet& tiles, ThreadPool& pool, const float* weights,
                            std::span<AlignedVector<std::int64_t>> sums, double sample_bytes);

}  // namespace ossau
