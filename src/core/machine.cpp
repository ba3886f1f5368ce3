#include "core/machine.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/machine_texts.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

// Empty where there is no such file.
std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::int64_t usable_processors(std::int64_t online) {
  constexpr std::size_t kMost = 8192;  // that any Linux kernel is built for
  cpu_set_t* set = CPU_ALLOC(kMost);
  if (set == nullptr) return online;
  const std::size_t bytes = CPU_ALLOC_SIZE(kMost);
  const bool known = ::sched_getaffinity(0, bytes, set) == 0;
  const std::int64_t count = known ? CPU_COUNT_S(bytes, set) : online;
  CPU_FREE(set);
  return count;
}

// The tightest limit of `group` and the groups above it; limit(folder) is that of one.
template <class Limit>
std::optional<double> tightest_limit(const fs::path& mount, const std::string& group, Limit limit) {
  std::optional<double> tightest;
  // A container often sees its own group as the top one, whatever its path says.
  for (fs::path path = fs::path(group).relative_path();; path = path.parent_path()) {
    if (const auto here = limit(mount / path)) {
      tightest = std::min(*here, tightest.value_or(*here));
    }
    if (path.empty()) return tightest;
  }
}

std::optional<double> read_cpu_limit(const fs::path& root) {
  const std::string groups = text_of(root / "proc/self/cgroup");
  const fs::path mount = root / "sys/fs/cgroup";
  std::optional<double> limit;
  if (const auto group = cgroup_path(groups, "")) {
    limit = tightest_limit(mount, *group, [](const fs::path& folder) {
      return cpu_limit(text_of(folder / "cpu.max"));
    });
  }
  if (limit) return limit;
  const auto group = cgroup_path(groups, "cpu");
  if (!group) return std::nullopt;
  return tightest_limit(mount / "cpu", *group, [](const fs::path& folder) {
    // Version 1 writes -1 where version 2 writes max.
    return cpu_limit(text_of(folder / "cpu.cfs_quota_us") + " " +
                     text_of(folder / "cpu.cfs_period_us"));
  });
}

std::vector<Cache> read_caches(const fs::path& root) {
  std::vector<Cache> caches;
  const fs::path folder = root / "sys/devices/system/cpu/cpu0/cache";
  for (int i = 0;; ++i) {
    const fs::path cache = folder / ("index" + std::to_string(i));
    const auto bytes = cache_bytes(text_of(cache / "size"));
    if (!bytes) break;
    const std::string type = text_of(cache / "type");
    if (type.starts_with("Instruction")) continue;
    std::string level = text_of(cache / "level");
    level.erase(std::min(level.find('\n'), level.size()));
    caches.push_back({"L" + level + (type.starts_with("Data") ? "d" : ""), *bytes,
                      count_of_list(text_of(cache / "shared_cpu_list")).value_or(0)});
  }
  return caches;
}

}  // namespace

std::int64_t bytes_past_caches(const Machine& machine, std::int64_t threads) {
  constexpr std::int64_t kTimes = 4;
  constexpr std::int64_t kLeast = std::int64_t{32} << 20;  // also where only small ones are known
  if (machine.caches.empty()) return kTimes * kLeast;
  const Cache& last = machine.caches.back();
  const std::int64_t caches =
      last.sharers == 0 ? 1 : (machine.processors + last.sharers - 1) / last.sharers;
  return kTimes * std::max(kLeast, last.bytes * std::clamp<std::int64_t>(caches, 1, threads));
}

std::int64_t usable_cores(const Machine& machine) {
  auto cores = static_cast<double>(machine.usable_processors);
  if (machine.cpu_limit) cores = std::min(cores, std::ceil(*machine.cpu_limit));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(cores));
}

std::int64_t usable_cores() {
  Machine machine;  // no more of it than is needed
  machine.usable_processors = usable_processors(::sysconf(_SC_NPROCESSORS_ONLN));
  machine.cpu_limit = read_cpu_limit("/");
  return usable_cores(machine);
}

Machine read_machine(const fs::path& root) {
  const std::string meminfo = text_of(root / "proc/meminfo");
  const std::int64_t online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return {.processor = processor_name(text_of(root / "proc/cpuinfo")),
          .processors = online,
          .usable_processors = usable_processors(online),
          .cpu_limit = read_cpu_limit(root),
          .caches = read_caches(root),
          .memory_bytes = meminfo_bytes(meminfo, "MemTotal"),
          .available_bytes = meminfo_bytes(meminfo, "MemAvailable"),
          .page_bytes = ::sysconf(_SC_PAGESIZE),
          .huge_pages = chosen_option(text_of(root / "sys/kernel/mm/transparent_hugepage/enabled")),
          .numa_nodes = count_of_list(text_of(root / "sys/devices/system/node/online"))};
}

}  // namespace ossau
