#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "config/node.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Every value of a configuration, in the table's order; read_fields gives the same back.
Node config_node(const Config& config);

/// The default configuration as YAML, each key after its meaning and what it may be.
std::string default_config_yaml();

/// `config` as YAML without comments; reading it gives the same `config`.
std::string effective_config_yaml(const Config& config);

/// Every value by its full key, as JSON text: {"training.seed", "7"}.
std::map<std::string, std::string> config_values(const Config& config);

/// What a model remembers of its making: data (without its paths), model, optimizer, training.
/// Sections of methods that were not chosen are left out.  Keys are sorted; nothing depends on
/// where or how the training ran.
nlohmann::json model_config_json(const Config& config);

/// The inverse of model_config_json; the rest is at its default.
/// Throws DataError where `json` is not such a record.
Config config_from_model_json(const nlohmann::json& json);

}  // namespace ossau
