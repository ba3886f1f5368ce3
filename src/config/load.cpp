#include "config/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "config/check.hpp"
#include "config/document.hpp"
#include "config/emit.hpp"
#include "config/override.hpp"
#include "config/problems.hpp"
#include "config/read.hpp"
#include "core/floating_point.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"
#include "ossau/ossau.hpp"

namespace ossau {
namespace {
namespace fs = std::filesystem;

// Far above any configuration, far below the data that somebody may name by mistake.
constexpr std::size_t kLargestFileBytes = std::size_t{1} << 20;

bool is_key_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '"' || c == '\'';
}

// `key:` with nothing or a space behind it, which no line of rows begins with.
bool begins_with_key(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const bool ends = colon + 1 == line.size() || line[colon + 1] == ' ' || line[colon + 1] == '\t';
  return ends && std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                             is_key_letter);
}

// By the first line that is neither empty nor a comment.
bool looks_like_yaml(std::string_view text, bool if_empty) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.empty() || line.front() == '#') continue;
    return line.front() == '{' || line.front() == '[' || line.starts_with("- ") ||
           line.starts_with("---") || line.front() == '%' || begins_with_key(line);
  }
  return if_empty;
}

bool is_named_as_yaml(const fs::path& file) {
  return file.extension() == ".yaml" || file.extension() == ".yml";
}

// As much of the file as a configuration may have.
std::string read_text(const fs::path& file) {
  const auto fail = [&file](std::string_view reason) {
    throw ConfigError(
        fmt::format("{}: cannot read it: {} (name rows to learn from, or a configuration; `ossau "
                    "config > FILE` "
                    "writes one to start from)",
                    file.string(), reason));
  };
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) fail("it is a directory");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(std::strerror(errno));
  std::string text(kLargestFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) fail(std::strerror(errno));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLargestFileBytes && looks_like_yaml(text, true)) {
    fail("it is larger than 1 MiB; data belongs in data.train");
  }
  if (!fs::is_regular_file(file, ignored) && !looks_like_yaml(text, true)) {
    fail("rows are read more than once, and this is no regular file");
  }
  return text;
}

// What a training of one file of rows says, all else at its default.
std::string yaml_for_rows(const fs::path& file) {
  return "data: {train: [" + scalar_yaml(text_node(file.string())) + "]}";
}

// Without the endings that say how it is written.
std::string name_of_run(const fs::path& file) {
  const fs::path stem = file.stem();
  const bool packed = file.extension() == ".gz" || file.extension() == ".zst";
  return (packed ? stem.stem() : stem).string();
}

// Adds the errors among the findings; what a reported problem has touched is left alone, for there
// the value checked is not the one written.
std::vector<std::string> sort_findings(const Config& config, const Places& places,
                                       const std::string& name, Problems& problems) {
  std::vector<std::string> warnings;
  Problems found;
  for (const Finding& finding : check_config(config)) {
    bool checked = true;
    for (const std::string& key : finding.keys) checked = checked && !problems.touch(key);
    if (!checked) continue;
    const std::string& key = finding.keys.front();
    const auto given = places.find(key);
    const Place place = given == places.end() ? Place{name, 0} : given->second;
    if (finding.is_error) {
      found.add(place, key, finding.text);
    } else {
      warnings.push_back(fmt::format("{}: {}: {}", place.text, key, finding.text));
    }
  }
  problems.append(found);
  return warnings;
}

}  // namespace

LoadedConfig parse_config(const std::string& yaml, const std::string& name,
                          const std::vector<std::string>& overrides) {
  const FloatingPointGuard default_arithmetic;  // numbers must not round as the caller does
  Problems problems;
  const auto line_of = [&name](int line) { return Place{fmt::format("{}:{}", name, line), line}; };
  std::optional<Node> root = parse_yaml(yaml, line_of, problems);
  LoadedConfig loaded;
  if (root) {
    int index = 0;
    for (const std::string& text : overrides) apply_override(*root, text, index++, problems);
    const Places places = read_fields(*root, loaded.config, problems);
    loaded.warnings = sort_findings(loaded.config, places, name, problems);
  }
  problems.throw_if_any(name);
  return loaded;
}

Config load_config(const fs::path& file, const std::vector<std::string>& overrides) {
  const std::string text = read_text(file);
  const bool is_yaml = looks_like_yaml(text, is_named_as_yaml(file));
  LoadedConfig loaded =
      parse_config(is_yaml ? text : yaml_for_rows(file), file.string(), overrides);
  for (const std::string& warning : loaded.warnings) log_warning(warning);
  if (!loaded.config.run.directory) {
    const std::string name = is_yaml ? file.stem().string() : name_of_run(file);
    loaded.config.run.directory = (fs::path("runs") / name).string();
  }
  return std::move(loaded.config);
}

}  // namespace ossau
