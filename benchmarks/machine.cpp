#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <fstream>
#include <thread>

#include "core/memory.hpp"
#include "results.hpp"

namespace ossau::bench {
namespace {

// The first value of a key in /proc/cpuinfo; empty where there is none.
std::string cpu_info(const std::string& key) {
  std::ifstream stream("/proc/cpuinfo");
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with(key) && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

std::string readable_size(std::int64_t bytes) {
  constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
  return bytes % kMebibyte == 0 ? fmt::format("{} MiB", bytes / kMebibyte)
                                : fmt::format("{} KiB", bytes >> 10);
}

std::string caches() {
  std::string text;
  for (const auto& cache : benchmark::CPUInfo::Get().caches) {
    if (cache.type == "Instruction") continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("L{} {}", cache.level, readable_size(cache.size));
  }
  return text;
}

}  // namespace

Machine describe_machine() {
  utsname system{};
  uname(&system);
  Machine machine;
  // ARM kernels print no model name; the architecture is better than nothing.
  machine.processor = cpu_info("model name");
  if (machine.processor.empty()) machine.processor = system.machine;
  machine.cores = static_cast<std::int64_t>(std::thread::hardware_concurrency());
  machine.caches = caches();
  machine.memory_bytes = physical_memory_bytes();
  machine.kernel = fmt::format("{} {}", system.sysname, system.release);
  return machine;
}

}  // namespace ossau::bench
