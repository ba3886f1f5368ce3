#include "core/machine.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <string>

#include "results.hpp"

namespace ossau::bench {
namespace {

std::string readable_size(std::int64_t bytes) {
  constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
  return bytes % kMebibyte == 0 ? fmt::format("{} MiB", bytes / kMebibyte)
                                : fmt::format("{} KiB", bytes >> 10);
}

}  // namespace

Machine describe_machine() {
  utsname system{};
  uname(&system);
  const ossau::Machine found = read_machine();
  Machine machine;
  // ARM kernels print no model name; the architecture is better than nothing.
  machine.processor = found.processor.value_or(system.machine);
  machine.cores = found.usable_processors;
  for (const Cache& cache : found.caches) {
    if (!machine.caches.empty()) machine.caches += ", ";
    machine.caches += fmt::format("{} {}", cache.name, readable_size(cache.bytes));
  }
  machine.memory_bytes = found.memory_bytes.value_or(0);
  machine.kernel = fmt::format("{} {}", system.sysname, system.release);
  return machine;
}

}  // namespace ossau::bench
