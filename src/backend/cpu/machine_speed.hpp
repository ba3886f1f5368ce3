#pragma once

#include <cstdint>
#include <string>

#include "core/machine.hpp"
#include "core/thread_pool.hpp"

namespace ossau {

/// What this machine's processors do, measured; rates are medians.
struct MachineSpeed {
  std::string self_test;             // see arithmetic_self_test(); of all threads
  double read_one_bytes = 0;         // bytes a second that one thread reads from memory
  double read_all_bytes = 0;         // that all read together
  std::int64_t sparse_features = 0;  // of the sample that is gathered and scattered
  double sparse_entries = 0;         // entries a second, all threads
  double wake_s = 0;                 // until all threads have run a function that does nothing
};

/// Takes about half a second and up to a quarter of the available memory.
MachineSpeed measure_machine(const Machine& machine, ThreadPool& pool);

}  // namespace ossau
