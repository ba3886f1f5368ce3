#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ossau {

/// The candidate that `word` probably meant, by edit distance; empty where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace ossau
