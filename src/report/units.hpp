#pragma once

#include <string>
#include <string_view>

namespace ossau {

// Quantities as people write them: a number, then its unit, with or without one space between.
// Both throw ConfigError that begins with `subject`, for example "--bandwidth".

/// "50GB/s" or "400 Gbit/s" as bytes a second; k, M, G and T are powers of 1,000.
double parse_rate(std::string_view text, std::string_view subject);

/// "20us" as seconds; s, ms, us or ns.
double parse_seconds(std::string_view text, std::string_view subject);

}  // namespace ossau
