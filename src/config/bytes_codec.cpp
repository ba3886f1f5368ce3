#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <system_error>

#include "config/codec.hpp"

namespace ossau {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr Unit kUnits[] = {{"KB", 1e3},     {"MB", 1e6},     {"GB", 1e9},     {"TB", 1e12},
                           {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}};

// "8GB", "8 GB", "8000000000".
std::optional<double> parse_bytes(const Node& node) {
  if (node.kind != NodeKind::kScalar) return std::nullopt;
  const std::string_view text = node.text;
  double number = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (code != std::errc{} || !std::isfinite(number)) return std::nullopt;
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (rest.empty()) return number;
  if (rest.front() == ' ') rest.remove_prefix(1);
  for (const Unit& unit : kUnits) {
    if (rest == unit.name) return number * unit.bytes;
  }
  return std::nullopt;
}

}  // namespace

void Bytes::read(const Spot& spot, std::int64_t& value) const {
  const std::optional<double> bytes = parse_bytes(spot.node);
  if (!bytes) {
    spot.report(describe(spot.node) + " is not a number of bytes");
  } else if (!(*bytes >= 1 && *bytes < 0x1p63)) {
    spot.report(spot.node.text + " is out of range");
  } else {
    value = static_cast<std::int64_t>(*bytes);
  }
}

Node Bytes::write(std::int64_t value) const {
  const Unit* largest = nullptr;
  for (const Unit& unit : kUnits) {
    const auto bytes = static_cast<std::int64_t>(unit.bytes);
    if (value > 0 && value % bytes == 0 && (largest == nullptr || unit.bytes > largest->bytes)) {
      largest = &unit;
    }
  }
  if (largest == nullptr) return Whole{}.write(value);
  return plain_node(
      fmt::format("{}{}", value / static_cast<std::int64_t>(largest->bytes), largest->name));
}

}  // namespace ossau
