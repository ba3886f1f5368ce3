#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ossau {

/// One cache as the first processor sees it.
struct Cache {
  std::string name;  // "L1d", "L2"
  std::int64_t bytes = 0;
  std::int64_t sharers = 0;  // processors that share it; 0: unknown
};

/// What the system says of the machine; absent where it does not.
struct Machine {
  std::optional<std::string> processor;
  std::int64_t processors = 0;         // logical ones that are online
  std::int64_t usable_processors = 0;  // those that this process may run on
  std::optional<double> cpu_limit;     // processors' worth of time that the control group may use
  std::vector<Cache> caches;           // data caches, the smallest first
  std::optional<std::int64_t> memory_bytes;
  std::optional<std::int64_t> available_bytes;
  std::int64_t page_bytes = 0;
  std::optional<std::string> huge_pages;  // transparent ones: "always", "madvise" or "never"
  std::optional<std::int64_t> numa_nodes;
};

/// Reads it from the kernel.  root: where `proc` and `sys` are.
Machine read_machine(const std::filesystem::path& root = "/");

/// Bytes that so many threads read again and again from memory, next to nothing from caches: four
/// times the last caches that they can reach.  Twice would not do: caches do not always drop the
/// oldest lines, and where they drop any, a fifth of what is read is found again; of four times, a
/// fiftieth.  A cache of which the system says nothing is taken to have 32 MiB.
std::int64_t bytes_past_caches(const Machine& machine, std::int64_t threads);

/// Threads that can run at once: processors that this process may run on, but no more than the
/// control group's limit rounded up; at least 1.
std::int64_t usable_cores();
/// The same of a machine that was read.
std::int64_t usable_cores(const Machine& machine);

}  // namespace ossau
