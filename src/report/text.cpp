#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ossau {
namespace {

bool continues_a_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

bool is_control(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return code < 0x20 || code == 0x7F;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !continues_a_character(byte); }));
}

std::string spaces_up_to(std::string_view text, std::size_t width) {
  const std::size_t used = characters(text);
  std::string spaces;
  if (used < width) spaces.assign(width - used, ' ');
  return spaces;
}

}  // namespace

std::string with_commas(std::int64_t number) {
  constexpr int kGroup = 3;
  std::string digits = fmt::format("{}", number);
  const int first = number < 0 ? 1 : 0;
  for (int at = static_cast<int>(digits.size()) - kGroup; at > first; at -= kGroup) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string counted(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", with_commas(number), noun, number == 1 ? "" : "s");
}

std::string short_rate(double per_second) {
  struct Unit {
    double size;
    std::string_view name;
  };
  constexpr double kRoundsUp = 999.5;  // would show as 1e+03
  for (const Unit unit : {Unit{1, ""}, Unit{1e3, " k"}, Unit{1e6, " M"}}) {
    if (per_second < kRoundsUp * unit.size) {
      return fmt::format("{:.3g}{}", per_second / unit.size, unit.name);
    }
  }
  return fmt::format("{:.3g} G", per_second / 1e9);
}

std::string bytes_text(std::int64_t bytes) {
  constexpr double kStep = 1024;
  auto size = static_cast<double>(bytes);
  std::string_view unit = "B";
  for (const std::string_view larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (size < kStep) break;
    size /= kStep;
    unit = larger;
  }
  return fmt::format("{:.4g} {}", size, unit);
}

std::string short_duration(double seconds) {
  constexpr double kMinute = 60;
  constexpr double kHour = 3600;
  if (!std::isfinite(seconds)) return "?";
  if (seconds < kMinute) return fmt::format("{:.3g} s", std::max(seconds, 0.0));
  const auto whole = static_cast<std::int64_t>(seconds);
  if (seconds < kHour) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string shortened(std::string_view text, std::size_t width) {
  std::string shown(text);
  std::ranges::replace_if(shown, is_control, '?');
  if (characters(shown) <= width) return shown;
  std::size_t kept = 0;
  std::size_t end = 0;
  while (end < shown.size() && (kept + 1 < width || continues_a_character(shown[end]))) {
    if (!continues_a_character(shown[end])) ++kept;
    ++end;
  }
  return shown.substr(0, end) + "~";
}

std::string right_aligned(std::string_view text, std::size_t width) {
  const std::string shown = shortened(text, width);
  return spaces_up_to(shown, width) + shown;
}

std::string left_aligned(std::string_view text, std::size_t width) {
  const std::string shown = shortened(text, width);
  return shown + spaces_up_to(shown, width);
}

}  // namespace ossau
