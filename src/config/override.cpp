#include "config/override.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "config/document.hpp"

namespace ossau {
namespace {

constexpr int kAfterEveryLine = 1 << 30;

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> keys(1);
  for (const char c : path) {
    if (c == '.') {
      keys.emplace_back();
    } else {
      keys.back() += c;
    }
  }
  return keys;
}

Node& child(Node& map, const std::string& key, const Place& place) {
  if (map.kind != NodeKind::kMap) {
    map = map_node();
    map.place = place;
  }
  if (Entry* entry = find_entry(map, key)) {
    entry->place = place;
    return entry->value;
  }
  map.entries.push_back({key, place, {}});
  return map.entries.back().value;
}

}  // namespace

void apply_override(Node& root, const std::string& text, int index, Problems& problems) {
  const Place place{fmt::format("override '{}'", text), kAfterEveryLine + index};
  const std::size_t equals = text.find('=');
  const std::vector<std::string> keys = split_path(text.substr(0, equals));
  bool well_formed = equals != std::string::npos;
  for (const std::string& key : keys) well_formed = well_formed && !key.empty();
  if (!well_formed) {
    problems.add(place, "", "not an override (write section.key=value, as training.epochs=50)");
    return;
  }
  std::optional<Node> value = parse_yaml(
      text.substr(equals + 1), [&place](int) { return Place(place); }, problems);
  if (!value) return;
  value->place = place;
  Node* target = &root;
  for (const std::string& key : keys) target = &child(*target, key, place);
  *target = std::move(*value);
}

}  // namespace ossau
