#include "simt/settings.hpp"

#include <algorithm>
#include <mutex>

#include "simt/machine.hpp"

namespace simt {
namespace {

struct Settings {
  std::mutex mutex;
  std::uint64_t seed = 1;
  std::uint64_t seeds_set = 0;
  unsigned resident_blocks = 8;
  Sabotage sabotage = Sabotage::kNone;
  Counts counts;
};
Settings& settings() {
  static Settings instance;
  return instance;
}

// Counted by host thread: ranks that are threads must not disturb each other's schedules.
thread_local std::uint64_t seeds_seen = 0;
thread_local std::uint64_t launches_made = 0;

}  // namespace

void set_seed(std::uint64_t seed) {
  const std::lock_guard lock(settings().mutex);
  settings().seed = seed;
  ++settings().seeds_set;
}

void set_resident_blocks(unsigned blocks) {
  const std::lock_guard lock(settings().mutex);
  settings().resident_blocks = std::max(blocks, 1u);
}

void sabotage(Sabotage kind) {
  const std::lock_guard lock(settings().mutex);
  settings().sabotage = kind;
}

Counts counts() {
  const std::lock_guard lock(settings().mutex);
  return settings().counts;
}

LaunchSettings next_launch() {
  const std::lock_guard lock(settings().mutex);
  if (seeds_seen != settings().seeds_set) {
    seeds_seen = settings().seeds_set;
    launches_made = 0;
  }
  ++launches_made;
  const std::uint64_t schedule = Random(settings().seed).next() ^ Random(launches_made).next();
  return {settings().seed, launches_made, schedule, settings().resident_blocks,
          settings().sabotage};
}

void add(const Counts& counts) {
  const std::lock_guard lock(settings().mutex);
  Counts& sum = settings().counts;
  sum.launches += counts.launches;
  sum.barriers += counts.barriers;
  sum.warp_operations += counts.warp_operations;
  sum.atomics += counts.atomics;
  sum.copies += counts.copies;
}

}  // namespace simt
