#pragma once

#include <string>

#include "config/node.hpp"
#include "config/problems.hpp"

namespace ossau {

/// Writes one `section.key=value` into `root`; the value is YAML and replaces what stood there,
/// a whole list or map included.  index: its position on the command line, to order problems.
void apply_override(Node& root, const std::string& text, int index, Problems& problems);

}  // namespace ossau
