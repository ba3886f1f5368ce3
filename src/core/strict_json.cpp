#include "core/strict_json.hpp"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "ossau/error.hpp"

namespace ossau {

nlohmann::json parse_strict_json(std::string_view text, const std::string& subject, int max_depth) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of each open object
  const auto check = [&](int depth, Event event, const nlohmann::json& parsed) {
    if (depth >= max_depth && (event == Event::object_start || event == Event::array_start)) {
      throw DataError(fmt::format("{}: nested deeper than {} levels", subject, max_depth));
    }
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw DataError(
          fmt::format("{}: key \"{}\" appears twice", subject, parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, check);
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: not valid JSON: {}", subject, error.what()));
  }
}

}  // namespace ossau
