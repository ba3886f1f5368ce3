#pragma once

#include <cstddef>
#include <string_view>

namespace ossau {

/// The place of the first byte that is not part of well-formed UTF-8; npos when there is none.
/// Source: The Unicode Standard 15.0, table 3-7.
std::size_t first_invalid_utf8(std::string_view text);

}  // namespace ossau
