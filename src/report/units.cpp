#include "report/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <system_error>

#include "ossau/error.hpp"

namespace ossau {
namespace {

// Times and over are whole, so that 20 us is the double nearest to 2e-5.
struct Unit {
  std::string_view name;
  double times;
  double over;
};

constexpr std::array<Unit, 10> kRates = {{{"B/s", 1, 1},
                                          {"kB/s", 1e3, 1},
                                          {"MB/s", 1e6, 1},
                                          {"GB/s", 1e9, 1},
                                          {"TB/s", 1e12, 1},
                                          {"bit/s", 1, 8},
                                          {"kbit/s", 1e3, 8},
                                          {"Mbit/s", 1e6, 8},
                                          {"Gbit/s", 1e9, 8},
                                          {"Tbit/s", 1e12, 8}}};
constexpr std::array<Unit, 4> kTimes = {
    {{"s", 1, 1}, {"ms", 1, 1e3}, {"us", 1, 1e6}, {"ns", 1, 1e9}}};

std::string listed(std::span<const Unit> units) {
  std::string text;
  for (const Unit& unit : units) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", unit.name);
  }
  return text;
}

double parse(std::string_view text, std::string_view subject, std::span<const Unit> units,
             std::string_view example) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::general);
  if (error != std::errc() || !std::isfinite(number) || !(number > 0)) {
    throw ConfigError(
        fmt::format("{}: \"{}\" does not begin with a number above 0 (write it like {})", subject,
                    text, example));
  }
  std::string_view name(stop, static_cast<std::size_t>(end - stop));
  if (name.starts_with(' ')) name.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name == name) return number * unit.times / unit.over;
  }
  if (name.empty()) {
    throw ConfigError(fmt::format("{}: \"{}\" has no unit (write it like {}; units: {})", subject,
                                  text, example, listed(units)));
  }
  throw ConfigError(fmt::format(R"({}: "{}": unknown unit "{}" (units: {}))", subject, text, name,
                                listed(units)));
}

}  // namespace

double parse_rate(std::string_view text, std::string_view subject) {
  return parse(text, subject, kRates, "50GB/s");
}

double parse_seconds(std::string_view text, std::string_view subject) {
  return parse(text, subject, kTimes, "20us");
}

}  // namespace ossau
