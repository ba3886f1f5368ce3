#include "data/text/format.hpp"

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "data/text/messages.hpp"
#include "data/text/numbers.hpp"

namespace ossau {
namespace {

constexpr int kLinesLookedAt = 10;

enum class LineKind { kNeutral, kLibsvm, kOther };

std::string_view next_token(std::string_view& line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return line = {};
  line.remove_prefix(first);
  const std::string_view token = line.substr(0, line.find_first_of(" \t\r"));
  line.remove_prefix(token.size());
  return token;
}

bool is_pair(std::string_view token) {
  const std::size_t colon = token.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = token.substr(0, colon);
  return (name == "qid" || parse_index(name)) && looks_numeric(token.substr(colon + 1));
}

// A lone number fits both formats: a row without features, or a table of one column.
LineKind kind_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::string_view label = next_token(line);
  if (label.empty()) return LineKind::kNeutral;
  if (!looks_numeric(label)) return LineKind::kOther;
  std::string_view token = next_token(line);
  if (token.empty()) return LineKind::kNeutral;
  for (; !token.empty(); token = next_token(line)) {
    if (!is_pair(token)) return LineKind::kOther;
  }
  return LineKind::kLibsvm;
}

Format format_of_content(std::string_view text) {
  Format format = Format::kCsv;
  for (int looked = 0; looked < kLinesLookedAt && !text.empty();) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    const LineKind kind = kind_of(line);
    if (kind == LineKind::kOther) return Format::kCsv;
    if (kind == LineKind::kLibsvm) {
      format = Format::kLibsvm;
      ++looked;
    }
  }
  return format;
}

}  // namespace

std::optional<Format> format_of_name(const std::string& path) {
  const std::filesystem::path extension =
      std::filesystem::path(uncompressed_name(path)).extension();
  for (const char* libsvm : {".svm", ".libsvm", ".svmlight"}) {
    if (equal_ignoring_case(extension.native(), libsvm)) return Format::kLibsvm;
  }
  for (const char* csv : {".csv", ".tsv"}) {
    if (equal_ignoring_case(extension.native(), csv)) return Format::kCsv;
  }
  return std::nullopt;
}

Format detect_format(const SourceText& file) {
  const std::optional<Format> named = format_of_name(file.name);
  return named ? *named : format_of_content(file.text);
}

}  // namespace ossau
