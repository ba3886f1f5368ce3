#include "config/write.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include "config/emit.hpp"
#include "config/fields.hpp"
#include "config/method_keys.hpp"
#include "config/names.hpp"
#include "config/read.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

class NodeWriter {
 public:
  template <typename Codec, typename T>
  void field(std::string_view key, const Codec& codec, const T& value, std::string_view) {
    map_.entries.push_back({std::string(key), {}, codec.write(value)});
  }
  template <typename T, typename Walk>
  void section(std::string_view key, const T& value, Walk walk, std::string_view) {
    NodeWriter inner;
    walk(inner, value);
    map_.entries.push_back({std::string(key), {}, std::move(inner.map_)});
  }
  template <typename T, typename Walk>
  void optional_section(std::string_view key, const std::optional<T>& value, Walk walk,
                        std::string_view help) {
    if (value) {
      section(key, *value, walk, help);
    } else {
      map_.entries.push_back({std::string(key), {}, {}});
    }
  }
  Node take() { return std::move(map_); }

 private:
  Node map_ = map_node();
};

// YAML with a comment above every key.
class CommentedWriter {
 public:
  template <typename Codec, typename T>
  void field(std::string_view key, const Codec& codec, const T& value, std::string_view help) {
    comment(std::string(help));
    comment(fmt::format("Allowed: {}", codec.allowed()));
    std::string lines;
    append_yaml(lines, key, codec.write(value), 0);
    append(lines);
  }
  template <typename T, typename Walk>
  void section(std::string_view key, const T& value, Walk walk, std::string_view help) {
    if (margin_.empty()) out_ += '\n';
    comment(std::string(help));
    append(fmt::format("{}:\n", key));
    indented("  ", [&] { walk(*this, value); });
  }
  template <typename T, typename Walk>
  void optional_section(std::string_view key, const std::optional<T>&, Walk walk,
                        std::string_view help) {
    comment(fmt::format("{} To turn it on, replace null by the lines below.", help));
    append(fmt::format("{}: null\n", key));
    const T defaults{};
    indented("  # ", [&] { walk(*this, defaults); });
  }
  std::string take() { return std::move(out_); }

 private:
  template <typename Inner>
  void indented(std::string_view by, Inner inner) {
    const std::string outer = margin_;
    margin_ += by;
    inner();
    margin_ = outer;
  }

  void append(const std::string& lines) {
    std::istringstream stream(lines);
    for (std::string line; std::getline(stream, line);) out_ += margin_ + line + "\n";
  }

  void comment(const std::string& text) {
    constexpr std::size_t kWidth = 100;
    std::istringstream words(text);
    std::string line = "#";
    for (std::string word; words >> word;) {
      if (margin_.size() + line.size() + 1 + word.size() > kWidth) {
        append(line);
        line = "#";
      }
      line += " " + word;
    }
    append(line);
  }

  std::string margin_;
  std::string out_;
};

nlohmann::json to_json(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNull:
      return nullptr;
    case NodeKind::kList: {
      auto list = nlohmann::json::array();
      for (const Node& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case NodeKind::kMap: {
      auto map = nlohmann::json::object();
      for (const Entry& entry : node.entries) map[entry.key] = to_json(entry.value);
      return map;
    }
    case NodeKind::kScalar:
      break;
  }
  // Numbers and truth values are written alike in both languages, words are not.
  if (node.quoted || !nlohmann::json::accept(node.text)) return node.text;
  return nlohmann::json::parse(node.text);
}

Node from_json(const nlohmann::json& json, const Place& place) {
  Node node;
  node.place = place;
  if (json.is_null()) return node;
  if (json.is_object()) {
    node.kind = NodeKind::kMap;
    for (const auto& [key, value] : json.items()) {
      node.entries.push_back({key, place, from_json(value, place)});
    }
  } else if (json.is_array()) {
    node.kind = NodeKind::kList;
    for (const auto& item : json) node.items.push_back(from_json(item, place));
  } else {
    node.kind = NodeKind::kScalar;
    node.quoted = json.is_string();
    node.text = json.is_string() ? json.get<std::string>() : json.dump();
  }
  return node;
}

}  // namespace

Node config_node(const Config& config) {
  NodeWriter writer;
  visit_fields(writer, config);
  return writer.take();
}

std::string default_config_yaml() {
  CommentedWriter writer;
  const Config config;
  visit_fields(writer, config);
  return "# Every key of Ossau with its default; only data.train must be given.\n" + writer.take();
}

std::string effective_config_yaml(const Config& config) {
  std::string yaml;
  for (const Entry& section : config_node(config).entries) {
    append_yaml(yaml, section.key, section.value, 0);
  }
  return yaml;
}

std::map<std::string, std::string> config_values(const Config& config) {
  std::map<std::string, std::string> values;
  const nlohmann::json flat = to_json(config_node(config)).flatten();
  for (const auto& [path, value] : flat.items()) {
    std::string key = path.substr(1);  // "/training/seed"
    std::replace(key.begin(), key.end(), '/', '.');
    values.emplace(std::move(key), value.dump());
  }
  return values;
}

nlohmann::json model_config_json(const Config& config) {
  nlohmann::json json = to_json(config_node(config));
  json["data"].erase("train");
  json["data"].erase("validation");
  json.erase("checkpoint");
  json.erase("communication");
  json.erase("run");
  // Sections of other methods say nothing of this model.
  for (const std::string_view method : kMethodNames) {
    if (method != name_of(config.optimizer.method)) json["optimizer"].erase(std::string(method));
  }
  json["training"].erase("require_convergence");
  json["training"].erase("init");  // a path, as those of data
  if (!is_solver(config.optimizer.method)) {
    json["training"].erase("gap");
    json["training"].erase("max_passes");
  }
  return json;
}

Config config_from_model_json(const nlohmann::json& json) {
  Config config;
  Problems problems;
  read_fields(from_json(json, {"model's configuration", 0}), config, problems);
  if (!problems.empty()) throw DataError(problems.message("the model's configuration"));
  return config;
}

}  // namespace ossau
