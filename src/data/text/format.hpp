#pragma once

#include <optional>
#include <string>

#include "data/text/source_files.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// The format that the file's extension names (before .gz or .zst); absent where it names none.
std::optional<Format> format_of_name(const std::string& path);

/// kLibsvm or kCsv: by the file's extension, else by its first lines: LIBSVM
/// where they read `number index:value ...`, CSV otherwise.
Format detect_format(const SourceText& file);

}  // namespace ossau
