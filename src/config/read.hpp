#pragma once

#include <map>
#include <string>

#include "config/node.hpp"
#include "config/problems.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Where each key was given, by its dotted name; keys left at their default are absent.
using Places = std::map<std::string, Place>;

/// Fills `config` from a map of sections; keys that are absent keep their value.  Reports unknown
/// keys and values that do not fit.
Places read_fields(const Node& root, Config& config, Problems& problems);

}  // namespace ossau
