#pragma once

#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <vector>

namespace ossau::test {

/// What the fields of a manifest may be, by the name of their object.  A field's kind is a mark (!
/// for one that must be there), then
///   ""           a scalar              "=VALUE"  this scalar
///   "NAME"       an object of this schema   "{}"  names and scalars of the user's choice
///   "[]"         a list of scalars     "[]NAME"  a list of objects
using Fields = std::map<std::string, std::string>;
using Schema = std::map<std::string, Fields>;

/// What is wrong with `node` as an object `name`: one sentence a fault, with its place.
std::vector<std::string> schema_faults(const Schema& schema, const std::string& name,
                                       const YAML::Node& node);

/// Where a map names a key twice, which YAML forbids and yaml-cpp does not tell.
std::vector<std::string> duplicate_keys(const YAML::Node& node);

}  // namespace ossau::test
