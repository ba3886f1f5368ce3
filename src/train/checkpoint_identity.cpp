#include "train/checkpoint_identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "arith/bits.hpp"
#include "arith/contract.hpp"
#include "config/names.hpp"
#include "config/write.hpp"
#include "core/sha256.hpp"
#include "core/strict_json.hpp"
#include "ossau/error.hpp"
#include "train/schema_json.hpp"

namespace ossau {
namespace {

constexpr const char* kFormatName = "ossau-checkpoint";
constexpr int kConfigDepth = 8;
constexpr const char* kRemedy = "name another, or set checkpoint.resume=never";
constexpr const char* kRemedyOfChange =
    "go back to what it was, or start from the beginning with checkpoint.resume=never";

std::string text_of(const nlohmann::json& json) {
  // Names come from users' files; bytes that are not UTF-8 become the replacement character.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string data_fingerprint(const PreparedData& data, const Schema& schema) {
  const std::vector<double> reals = {data.rows.train.total_weight,
                                     data.rows.validation.total_weight,
                                     data.rows.validation.largest_feature, data.lipschitz};
  const std::vector<std::int64_t> integers = {data.train_rows, data.validation_rows, data.entries,
                                              static_cast<std::int64_t>(data.rows_hash),
                                              static_cast<std::int64_t>(data.rows_hash >> 64)};
  const auto vector = [](const auto& values) {
    return tensor_view(std::span(values), {static_cast<std::int64_t>(values.size())});
  };
  return content_sha256({{"shift", vector(data.transform.shift)},
                         {"scale", vector(data.transform.scale)},
                         {"exponent", vector(data.transform.exponent)},
                         {"reals", vector(reals)},
                         {"integers", vector(integers)}},
                        {{"layout", std::string(name_of(data.layout))},
                         {"classes", text_of(schema.classes)},
                         {"feature_names", text_of(feature_names_json(schema))}});
}

// "model.l2 was 0.1 and is 0.2 now", of the first key that differs.
std::string first_difference(const std::string& then, const std::string& now) {
  const nlohmann::json before = nlohmann::json::parse(then).flatten();
  const nlohmann::json after = nlohmann::json::parse(now).flatten();
  const auto value = [](const nlohmann::json& flat, const std::string& key) {
    return flat.contains(key) ? flat.at(key).dump() : std::string("absent");
  };
  nlohmann::json keys = before;
  keys.update(after);
  for (const auto& [key, ignored] : keys.items()) {
    const std::string was = value(before, key);
    const std::string is = value(after, key);
    if (was == is) continue;
    std::string dotted = key.substr(1);
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    return fmt::format("{} was {} and is {} now", dotted, was, is);
  }
  return "the configuration is written otherwise";
}

}  // namespace

std::string CheckpointIdentity::key() const {
  return content_sha256({}, identity_metadata(*this)).substr(0, kKeyDigits);
}

CheckpointIdentity checkpoint_identity(const Config& config, const PreparedData& prepared,
                                       const Schema& schema, const std::vector<double>& start) {
  nlohmann::json json = model_config_json(config);
  if (config.training.init) {
    const auto size = static_cast<std::int64_t>(start.size());
    json["training"]["init"] =
        content_sha256({{"start", tensor_view(std::span(start), {size})}}, {});
  }
  return {.exact = std::to_string(kExactVersion),
          .config = text_of(json),
          .data = data_fingerprint(prepared, schema)};
}

TensorMetadata identity_metadata(const CheckpointIdentity& identity) {
  return {{"format", kFormatName},
          {"exact", identity.exact},
          {"config", identity.config},
          {"data", identity.data}};
}

void require_identity(const Safetensors& file, const CheckpointIdentity& identity) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormatName ||
      !file.metadata().contains("sha256")) {
    throw DataError(
        fmt::format("{}: not a checkpoint that Ossau wrote ({})", file.file(), kRemedy));
  }
  if (file.metadata("exact") != identity.exact) {
    throw DataError(fmt::format("{}: made under exact-{}, this program knows exact-{} ({})",
                                file.file(), file.metadata("exact"), identity.exact, kRemedy));
  }
  const std::string& config = file.metadata("config");
  if (config != identity.config) {
    // Parsed again strictly: the file may come from anywhere.
    (void)parse_strict_json(config, file.file() + ": config", kConfigDepth);
    throw ConfigError(fmt::format("{}: made with another configuration: {} ({})", file.file(),
                                  first_difference(config, identity.config), kRemedyOfChange));
  }
  if (file.metadata("data") != identity.data) {
    throw DataError(fmt::format("{}: the data has changed since it was written ({})", file.file(),
                                kRemedyOfChange));
  }
}

}  // namespace ossau
