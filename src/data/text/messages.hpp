#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ossau {

/// `text` for a message: in double quotes, unprintable bytes as \xNN, long values cut.
std::string shown(std::string_view text);

/// The names for a message: the first few in quotes, then how many there are in all.
std::string shown_list(const std::vector<std::string>& names);

/// `did you mean "NAME"? ` for the name most like `wanted`, or nothing where none is close.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names);

/// True where the two differ in the case of ASCII letters only.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace ossau
