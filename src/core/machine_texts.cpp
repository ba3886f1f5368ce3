#include "core/machine_texts.hpp"

#include <charconv>
#include <system_error>

namespace ossau {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

// Takes off what stands before the first `separator`, or all.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::int64_t> count_of_list(std::string_view list) {
  std::int64_t count = 0;
  for (std::string_view rest = trimmed(list); !rest.empty();) {
    std::string_view range = take_until(rest, ',');
    const bool single = range.find('-') == std::string_view::npos;
    const auto first = whole_number(take_until(range, '-'));
    const auto last = single ? first : whole_number(range);
    if (!first || !last || *last < *first) return std::nullopt;
    count += *last - *first + 1;
  }
  if (count == 0) return std::nullopt;
  return count;
}

std::optional<std::string> chosen_option(std::string_view options) {
  const std::size_t open = options.find('[');
  const std::size_t close = options.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  return std::string(options.substr(open + 1, close - open - 1));
}

std::optional<std::string> processor_name(std::string_view cpuinfo) {
  while (!cpuinfo.empty()) {
    std::string_view line = take_until(cpuinfo, '\n');
    if (trimmed(take_until(line, ':')) != "model name" || trimmed(line).empty()) continue;
    return std::string(trimmed(line));
  }
  return std::nullopt;
}

std::optional<std::int64_t> meminfo_bytes(std::string_view meminfo, std::string_view key) {
  constexpr std::int64_t kKibibyte = 1024;
  while (!meminfo.empty()) {
    std::string_view line = take_until(meminfo, '\n');
    if (take_until(line, ':') != key) continue;
    std::string_view value = trimmed(line);
    const auto number = whole_number(take_until(value, ' '));
    if (!number || trimmed(value) != "kB") return std::nullopt;
    return *number * kKibibyte;
  }
  return std::nullopt;
}

std::optional<std::int64_t> cache_bytes(std::string_view size) {
  std::string_view digits = trimmed(size);
  std::int64_t unit = 1;
  if (digits.ends_with('K')) unit = std::int64_t{1} << 10;
  if (digits.ends_with('M')) unit = std::int64_t{1} << 20;
  if (unit > 1) digits.remove_suffix(1);
  const auto number = whole_number(digits);
  if (!number) return std::nullopt;
  return *number * unit;
}

std::optional<double> cpu_limit(std::string_view cpu_max) {
  std::string_view period_text = trimmed(cpu_max);
  const auto quota = whole_number(trimmed(take_until(period_text, ' ')));
  const auto period = whole_number(trimmed(period_text));
  if (!quota || !period || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

std::optional<std::string> cgroup_path(std::string_view cgroups, std::string_view controller) {
  while (!cgroups.empty()) {
    std::string_view path = take_until(cgroups, '\n');
    take_until(path, ':');  // the hierarchy's number
    std::string_view controllers = take_until(path, ':');
    bool found = controllers.empty() && controller.empty();
    while (!controllers.empty()) found |= take_until(controllers, ',') == controller;
    if (found) return std::string(path);
  }
  return std::nullopt;
}

}  // namespace ossau
