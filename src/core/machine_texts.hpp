#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ossau {

// What the kernel's text files under /proc and /sys say.  Absent: the text does not say it.

/// Number of processors or nodes in a list such as "0-3,8,10-11".
std::optional<std::int64_t> count_of_list(std::string_view list);

/// The option in brackets: "always [madvise] never" gives "madvise".
std::optional<std::string> chosen_option(std::string_view options);

/// The first "model name" of /proc/cpuinfo; ARM processors have none.
std::optional<std::string> processor_name(std::string_view cpuinfo);

/// A line of /proc/meminfo in bytes: "MemTotal:  24684084 kB".
std::optional<std::int64_t> meminfo_bytes(std::string_view meminfo, std::string_view key);

/// A cache's size in bytes: "48K", "32768K", "4M", "512".
std::optional<std::int64_t> cache_bytes(std::string_view size);

/// Processors that cgroup v2's cpu.max allows: "150000 100000" gives 1.5; "max 100000" no limit.
std::optional<double> cpu_limit(std::string_view cpu_max);

/// The group of a process in /proc/PID/cgroup: of version 1's controller, or "" for version 2.
std::optional<std::string> cgroup_path(std::string_view cgroups, std::string_view controller);

}  // namespace ossau
