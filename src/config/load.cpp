#include "config/load.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "config/check.hpp"
#include "config/document.hpp"
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

std::string read_text(const fs::path& file) {
  const auto fail = [&file](std::string_view reason) {
    throw ConfigError(fmt::format(
        "{}: cannot read the configuration: {} (`ossau config > FILE` writes one to start from)",
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
  if (text.size() > kLargestFileBytes) fail("it is larger than 1 MiB; data belongs in data.train");
  return text;
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
  LoadedConfig loaded = parse_config(read_text(file), file.string(), overrides);
  for (const std::string& warning : loaded.warnings) log_warning(warning);
  if (!loaded.config.run.directory) {
    loaded.config.run.directory = (fs::path("runs") / file.stem()).string();
  }
  return std::move(loaded.config);
}

}  // namespace ossau
