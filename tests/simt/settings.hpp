#pragma once

#include <cstdint>

#include "simt/interpreter.hpp"

// What tests have set, as a launch reads it.

namespace simt {

struct LaunchSettings {
  std::uint64_t seed;
  std::uint64_t launch;    // number of this host thread's launch since the seed was set
  std::uint64_t schedule;  // made of both
  unsigned resident_blocks;
  Sabotage sabotage;
};
LaunchSettings next_launch();

void add(const Counts& counts);

}  // namespace simt
