#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ossau {

/// Parses JSON that came from a file and may be hostile: refuses duplicate keys, nesting deeper
/// than `max_depth` and anything after the value.  `subject` starts the message, for example
/// "model.safetensors: header".  Throws DataError.
nlohmann::json parse_strict_json(std::string_view text, const std::string& subject, int max_depth);

}  // namespace ossau
