#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/node.hpp"

namespace ossau {

/// A scalar or null as one line of YAML, quoted where it would not read back as the same value.
std::string scalar_yaml(const Node& node);

/// Appends `key: value` with lists and maps in lines of their own, indented by `indent` spaces.
void append_yaml(std::string& out, std::string_view key, const Node& value, std::size_t indent);

}  // namespace ossau
