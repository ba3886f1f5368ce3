#include "config/emit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace ossau {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Words that some YAML reader takes for null, a truth value or a number.
bool is_reserved(std::string text) {
  constexpr std::array<std::string_view, 11> kReserved = {
      "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"};
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return is_letter(c) ? static_cast<char>(std::tolower(c)) : c; });
  return std::find(kReserved.begin(), kReserved.end(), text) != kReserved.end();
}

// A narrow class of names and paths; everything else is quoted, which is never wrong.
bool is_plain(const std::string& text) {
  const bool starts_as_path = text.starts_with('/') || text.starts_with("./") ||
                              text.starts_with("../") || text.starts_with('_');
  if (text.empty() || (!is_letter(text.front()) && !starts_as_path)) return false;
  const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') ||
           std::string_view("_./+-*").find(c) != std::string_view::npos;
  });
  return harmless && !is_reserved(text);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (code < 0x20 || code == 0x7f) {
      out += fmt::format("\\x{:02x}", code);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string text_yaml(const std::string& text) { return is_plain(text) ? text : quoted(text); }

}  // namespace

std::string scalar_yaml(const Node& node) {
  if (node.kind == NodeKind::kNull) return "null";
  return node.quoted ? text_yaml(node.text) : node.text;
}

void append_yaml(std::string& out, std::string_view key, const Node& value, std::size_t indent) {
  const std::string margin(indent, ' ');
  out += fmt::format("{}{}:", margin, text_yaml(std::string(key)));
  if (value.kind == NodeKind::kList) {
    out += value.items.empty() ? " []\n" : "\n";
    for (const Node& item : value.items) {
      out += fmt::format("{}  - {}\n", margin, scalar_yaml(item));
    }
  } else if (value.kind == NodeKind::kMap) {
    out += value.entries.empty() ? " {}\n" : "\n";
    for (const Entry& entry : value.entries) append_yaml(out, entry.key, entry.value, indent + 2);
  } else {
    out += fmt::format(" {}\n", scalar_yaml(value));
  }
}

}  // namespace ossau
