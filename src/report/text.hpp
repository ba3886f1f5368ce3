#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ossau {

// Numbers and names as people read them, the same under every locale.

/// 1234567 as "1,234,567".
std::string with_commas(std::int64_t number);

/// "1 row", "2 rows", "1,234 rows".
std::string counted(std::int64_t number, std::string_view noun);

/// A rate in three digits: "12.3 M", "845 k", "7".
std::string short_rate(double per_second);

/// Bytes in four digits: "12.35 MiB".
std::string bytes_text(std::int64_t bytes);

/// A duration: "0.042 s", "12.3 s", "2 min 05 s", "3 h 07 min".
std::string short_duration(double seconds);

/// `text` in at most `width` characters (UTF-8), its end replaced by "~" where it is longer;
/// control characters become "?".
std::string shortened(std::string_view text, std::size_t width);

/// `text` with spaces before or after it up to `width` characters; longer text is shortened.
std::string right_aligned(std::string_view text, std::size_t width);
std::string left_aligned(std::string_view text, std::size_t width);

}  // namespace ossau
