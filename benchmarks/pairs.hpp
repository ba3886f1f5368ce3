#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <string>

#include "core/clock.hpp"

namespace ossau::bench {

/// Runs something once and says how long it took, in seconds.
using Timed = std::function<double()>;

/// Seconds of one call.
template <class Function>
double seconds_of(Function&& function) {
  const Stopwatch clock;
  function();
  return clock.seconds();
}

/// `function` called as often as the clock needs to see it well: one sample lasts at least
/// `sample_s`.  Gives the seconds of one call.
Timed repeated(std::function<void()> function, double sample_s = 0.005);

/// The same of a function that needs `prepare` before every call, which is not timed.  The clock is
/// read at every call: `function` should take a microsecond at the least.
Timed repeated_after(std::function<void()> prepare, std::function<void()> function,
                     double sample_s = 0.005);

/// One row of the results: a piece of work, and what the machine can do at best.
/// benchmarks/README.md derives every number.
struct Pair {
  Timed work;
  Timed reference;
  std::string reference_name;  // for people: what `reference` is
  double bytes = 0;            // that the work must move, at the least
  double reference_bytes = 0;  // that the reference moves; 0: it is no matter of bytes
  double flops = 0;            // of the work's formulas
  double entries = 0;          // sparse: stored entries; dense: features times rows
  std::int64_t threads = 1;
  std::function<double(double reference_s)> bound_s = {};  // empty: none was promised
};

/// Times both in turn, as many times as the benchmark has iterations, and leaves medians and
/// quartiles as counters.  Whatever slows the machine for a while slows both of a pair, so the
/// quotient of a pair is steadier than its parts.
void measure_pairs(benchmark::State& state, const Pair& pair);

}  // namespace ossau::bench
