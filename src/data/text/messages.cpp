#include "data/text/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace ossau {
namespace {

constexpr std::size_t kLongestShown = 40;  // bytes
constexpr std::size_t kMostListed = 10;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein distance, the case of letters ignored.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string shown(std::string_view text) {
  std::size_t length = std::min(text.size(), kLongestShown);
  // Not within a character of several bytes (UTF-8).
  while (length > 0 && length < text.size() && (text[length] & 0xc0) == 0x80) --length;
  std::string out = "\"";
  for (const char c : text.substr(0, length)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += length < text.size() ? "...\"" : "\"";
  return out;
}

std::string shown_list(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kMostListed); ++i) {
    if (i > 0) out += ", ";
    out += shown(names[i]);
  }
  if (names.size() > kMostListed) out += fmt::format(", ... {} in all", names.size());
  return out;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& names) {
  // Long cells are no typing errors, and the distance costs the product of the two lengths.
  if (wanted.size() > kLongestShown) return "";
  const std::string* best = nullptr;
  // Two letters swapped are a distance of 2.
  const std::size_t allowed = wanted.size() < 4 ? 1 : std::max<std::size_t>(2, wanted.size() / 3);
  std::size_t best_distance = allowed + 1;
  for (const std::string& name : names) {
    if (name.size() > 2 * kLongestShown) continue;
    const std::size_t d = distance(wanted, name);
    if (d >= best_distance) continue;
    best = &name;
    best_distance = d;
  }
  return best == nullptr ? "" : fmt::format("did you mean {}? ", shown(*best));
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](char left, char right) { return lower(left) == lower(right); });
}

}  // namespace ossau
