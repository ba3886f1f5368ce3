#pragma once

#include <cstdint>

// A function marked so is compiled for the host and for CUDA devices from the same text.
#if defined(__CUDACC__)
#define OSSAU_HOST_DEVICE __host__ __device__
#else
#define OSSAU_HOST_DEVICE
#endif

namespace ossau {

/// Version of the arithmetic contract (docs/arithmetic.md).  Any change of a constant, polynomial
/// or order that moves a bit of a model raises it.
inline constexpr int kExactVersion = 1;

/// Rows of a tile, the micro-block of every sum over rows.
inline constexpr std::int64_t kTileRows = 64;

/// Entries of a row (columns when dense, stored entries when sparse) that form one chain of fma.
inline constexpr std::int64_t kScoreChunk = 256;

/// Features that form one tree in a sum over features.
inline constexpr std::int64_t kFeatureChunk = 256;

}  // namespace ossau
