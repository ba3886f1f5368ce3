#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/node.hpp"
#include "config/problems.hpp"

namespace ossau {

/// Parses one YAML document; absent where it is not valid YAML.  An empty document is a null node.
/// place_of: names a line (from 1).  Duplicate keys, keys that are not text, aliases, tags and a
/// second document are reported to `problems`; `<<` is a key like any other.
std::optional<Node> parse_yaml(const std::string& text,
                               const std::function<Place(int line)>& place_of, Problems& problems);

}  // namespace ossau
