#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/table.hpp"

namespace ossau {

// How a model file spells what text meant.  The readers throw nlohmann::json::exception or
// DataError without a file name where the JSON does not fit; load_model adds the name.

/// Columns, categories and reading options; feature names and classes are entries of their own.
nlohmann::json schema_json(const Schema& schema);

/// The inverse of schema_json: feature names and classes stay empty.
Schema schema_from_json(const nlohmann::json& json);

/// A list of names.  A LIBSVM file's are numbered and may be millions, so there
/// {"prefix": "f", "first": 1, "count": 123} stands for the list.
nlohmann::json feature_names_json(const Schema& schema);

/// The inverse of feature_names_json.  n_features: how many there must be.
std::vector<std::string> feature_names_from_json(const nlohmann::json& json,
                                                 std::size_t n_features);

}  // namespace ossau
