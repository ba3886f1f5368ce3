#include "recipes/yaml_schema.hpp"

#include <set>

namespace ossau::test {
namespace {

std::string place_of(const std::string& path, const YAML::Node& node) {
  return "line " + std::to_string(node.Mark().line + 1) + ": " + path;
}

class Checker {
 public:
  explicit Checker(const Schema& schema) : schema_(schema) {}

  void object(const std::string& path, const std::string& name, const YAML::Node& node) {
    if (!node.IsMap()) return fault(path, node, "must hold fields");
    const Fields& fields = schema_.at(name);
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>();
      const auto found = fields.find(key);
      if (found == fields.end()) {
        fault(path + "/" + key, entry.first, "unknown field");
      } else {
        std::string kind = found->second;
        if (kind.starts_with('!')) kind.erase(0, 1);
        value(path + "/" + key, kind, entry.second);
      }
    }
    for (const auto& [key, kind] : fields) {
      if (kind.starts_with('!') && !node[key]) fault(path + "/" + key, node, "is missing");
    }
  }

  std::vector<std::string> faults() { return std::move(faults_); }

 private:
  void fault(const std::string& path, const YAML::Node& node, const std::string& what) {
    faults_.push_back(place_of(path, node) + ": " + what);
  }

  void value(const std::string& path, const std::string& kind, const YAML::Node& node) {
    if (kind.starts_with("[]")) return list(path, kind.substr(2), node);
    if (kind == "{}") return choice(path, node);
    if (!kind.empty() && !kind.starts_with('=')) return object(path, kind, node);
    if (!node.IsScalar()) return fault(path, node, "must be one value");
    if (kind.starts_with('=') && node.Scalar() != kind.substr(1)) {
      fault(path, node, "must be " + kind.substr(1));
    }
  }

  void list(const std::string& path, const std::string& kind, const YAML::Node& node) {
    if (!node.IsSequence() || node.size() == 0) return fault(path, node, "must be a list");
    for (const YAML::Node& element : node) value(path + "[]", kind, element);
  }

  void choice(const std::string& path, const YAML::Node& node) {
    if (!node.IsMap()) return fault(path, node, "must hold names and values");
    for (const auto& entry : node) {
      if (!entry.second.IsScalar()) fault(path, entry.second, "must be one value");
    }
  }

  const Schema& schema_;
  std::vector<std::string> faults_;
};

void find_duplicates(const std::string& path, const YAML::Node& node,
                     std::vector<std::string>& faults) {
  std::set<std::string> keys;
  for (const auto& entry : node) {
    if (node.IsMap()) {
      const std::string key = entry.first.Scalar();
      if (!keys.insert(key).second) {
        faults.push_back(place_of(path + "/" + key, entry.first) + ": stands there twice");
      }
      find_duplicates(path + "/" + key, entry.second, faults);
    } else {
      find_duplicates(path + "[]", entry, faults);
    }
  }
}

}  // namespace

std::vector<std::string> schema_faults(const Schema& schema, const std::string& name,
                                       const YAML::Node& node) {
  Checker checker(schema);
  checker.object(name, name, node);
  return checker.faults();
}

std::vector<std::string> duplicate_keys(const YAML::Node& node) {
  std::vector<std::string> faults;
  find_duplicates("", node, faults);
  return faults;
}

}  // namespace ossau::test
