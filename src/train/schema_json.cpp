#include "train/schema_json.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/names.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

struct Numbering {
  std::string prefix;
  std::int64_t first = 0;
  std::string name(std::size_t index) const {
    return fmt::format("{}{}", prefix, first + static_cast<std::int64_t>(index));
  }
};

// The numbering that gives exactly these names, where there is one.
std::optional<Numbering> numbering_of(const std::vector<std::string>& names) {
  constexpr std::size_t kMaxDigits = 18;  // fits an int64
  if (names.empty()) return std::nullopt;
  const std::string& front = names.front();
  const std::size_t digits_at = front.find_last_not_of("0123456789") + 1;
  if (digits_at == front.size() || front.size() - digits_at > kMaxDigits) return std::nullopt;

  Numbering numbering{.prefix = front.substr(0, digits_at)};
  std::from_chars(front.data() + digits_at, front.data() + front.size(), numbering.first);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != numbering.name(i)) return std::nullopt;
  }
  return numbering;
}

nlohmann::json column_json(const SourceColumn& column) {
  nlohmann::json json = {{"name", column.name}};
  if (column.categorical) json["categories"] = column.categories;
  return json;
}

SourceColumn column_from_json(const nlohmann::json& json) {
  SourceColumn column;
  column.name = json.at("name").get<std::string>();
  column.categorical = json.contains("categories");
  if (column.categorical) column.categories = json.at("categories").get<std::vector<std::string>>();
  return column;
}

Format format_named(const std::string& name) {
  for (const Format format : {Format::kLibsvm, Format::kCsv}) {
    if (name_of(format) == name) return format;
  }
  throw DataError(fmt::format("format \"{}\" is not libsvm or csv", name));
}

}  // namespace

nlohmann::json schema_json(const Schema& schema) {
  nlohmann::json json = {{"format", name_of(schema.format)}};
  if (schema.format == Format::kLibsvm) {
    json["zero_based"] = schema.zero_based;
    return json;
  }
  json["delimiter"] = std::string(1, schema.delimiter);
  json["header"] = schema.header;
  json["label_column"] = schema.label_column;
  json["weight_column"] = schema.weight_column;
  json["columns"] = nlohmann::json::array();
  for (const SourceColumn& column : schema.columns) json["columns"].push_back(column_json(column));
  return json;
}

Schema schema_from_json(const nlohmann::json& json) {
  Schema schema;
  schema.format = format_named(json.at("format").get<std::string>());
  if (schema.format == Format::kLibsvm) {
    schema.zero_based = json.at("zero_based").get<bool>();
    return schema;
  }
  const auto delimiter = json.at("delimiter").get<std::string>();
  if (delimiter.size() != 1) throw DataError("delimiter is not one character");
  schema.delimiter = delimiter.front();
  schema.header = json.at("header").get<bool>();
  schema.label_column = json.at("label_column").get<std::string>();
  schema.weight_column = json.at("weight_column").get<std::string>();
  for (const nlohmann::json& column : json.at("columns")) {
    schema.columns.push_back(column_from_json(column));
  }
  return schema;
}

nlohmann::json feature_names_json(const Schema& schema) {
  const std::optional<Numbering> numbering =
      schema.format == Format::kLibsvm ? numbering_of(schema.feature_names) : std::nullopt;
  if (!numbering) return schema.feature_names;
  return {{"prefix", numbering->prefix},
          {"first", numbering->first},
          {"count", schema.feature_names.size()}};
}

std::vector<std::string> feature_names_from_json(const nlohmann::json& json,
                                                 std::size_t n_features) {
  const auto count = json.is_array() ? json.size() : json.at("count").get<std::size_t>();
  if (count != n_features) {
    throw DataError(fmt::format("{} feature names for {} features", count, n_features));
  }
  if (json.is_array()) return json.get<std::vector<std::string>>();
  const Numbering numbering{.prefix = json.at("prefix").get<std::string>(),
                            .first = json.at("first").get<std::int64_t>()};
  std::vector<std::string> names;
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) names.push_back(numbering.name(i));
  return names;
}

}  // namespace ossau
