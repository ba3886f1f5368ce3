#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pairs.hpp"

namespace ossau::bench {

/// How much to measure.
struct Effort {
  bool quick = false;  // a smoke run: tiny data, the figures mean nothing
  std::int64_t pairs = 11;
  std::vector<std::int64_t> threads;  // the numbers of threads to measure with: 1, and every core
  std::int64_t memory_bytes = 0;      // well past the last cache
  std::int64_t cache_bytes = 0;       // twice as much fits into the last cache

  /// Of two sizes the one for this run.
  std::int64_t size(std::int64_t full, std::int64_t tiny) const { return quick ? tiny : full; }
};

/// Adds a row.  `measure` builds the data, calls measure_pairs() once and lets go of the data, so
/// that rows do not share memory.
void add_row(const Effort& effort, const std::string& name,
             std::function<void(benchmark::State&)> measure);

/// Every program defines this one; program.cpp has the main function.
void add_rows(const Effort& effort);

}  // namespace ossau::bench
