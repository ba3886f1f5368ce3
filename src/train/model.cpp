#include "train/model.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "arith/contract.hpp"
#include "config/names.hpp"
#include "config/write.hpp"
#include "core/floating_point.hpp"
#include "core/safetensors.hpp"
#include "core/strict_json.hpp"
#include "ossau/error.hpp"
#include "train/schema_json.hpp"

namespace ossau {
namespace {

constexpr const char* kFormatName = "ossau";
constexpr int kMetadataDepth = 8;

std::string text_of(const nlohmann::json& json) {
  // Names come from users' files; bytes that are not UTF-8 become the replacement character.
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A gap that is not known is null.
nlohmann::json convergence_json(const Convergence& reached) {
  return {{"gap", std::isfinite(reached.gap) ? nlohmann::json(reached.gap) : nlohmann::json()},
          {"certified", reached.certified},
          {"converged", reached.converged}};
}

Convergence convergence_from_json(const nlohmann::json& json) {
  const nlohmann::json& gap = json.at("gap");
  return {.gap = gap.is_null() ? INFINITY : gap.get<double>(),
          .certified = json.at("certified").get<bool>(),
          .converged = json.at("converged").get<bool>()};
}

TensorMetadata metadata_of(const Model& model) {
  TensorMetadata metadata = {{"format", kFormatName},
                             {"exact", std::to_string(kExactVersion)},
                             {"layout", std::string(name_of(model.layout))},
                             {"feature_names", text_of(feature_names_json(model.schema))},
                             {"classes", text_of(model.schema.classes)},
                             {"schema", text_of(schema_json(model.schema))},
                             {"config", text_of(model_config_json(model.config))}};
  if (model.convergence) metadata["convergence"] = text_of(convergence_json(*model.convergence));
  return metadata;
}

nlohmann::json json_entry(const Safetensors& file, const std::string& key) {
  return parse_strict_json(file.metadata(key), fmt::format("{}: {}", file.file(), key),
                           kMetadataDepth);
}

void check_kind(const Safetensors& file) {
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != kFormatName) {
    throw DataError(fmt::format("{}: not a model that Ossau wrote", file.file()));
  }
  const std::string& exact = file.metadata("exact");
  if (exact != std::to_string(kExactVersion)) {
    throw DataError(fmt::format(
        "{}: made under exact-{}, this program knows exact-{} (use the version of Ossau that "
        "trained it, or train again)",
        file.file(), exact, kExactVersion));
  }
  if (!file.metadata().contains("sha256")) {
    throw DataError(fmt::format("{}: has no checksum (train again)", file.file()));
  }
}

// The length of a tensor that must be a vector.
std::int64_t length_of(const Safetensors& file, const std::string& name) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.shape.size() != 1) {
    throw DataError(fmt::format("{}: no vector \"{}\"", file.file(), name));
  }
  return found->second.shape.front();
}

std::vector<double> finite_values(const Safetensors& file, const std::string& name,
                                  const std::vector<std::int64_t>& shape) {
  std::vector<double> values = file.values<double>(name, shape);
  for (const double value : values) {
    if (!std::isfinite(value)) {
      throw DataError(fmt::format("{}: tensor \"{}\" holds {}", file.file(), name, value));
    }
  }
  return values;
}

void read_numbers(const Safetensors& file, Model& model) {
  const std::int64_t n_features = length_of(file, "shift");
  model.weights = finite_values(file, "weights", {1, n_features});
  model.intercept = finite_values(file, "intercept", {1}).front();
  model.shift = finite_values(file, "shift", {n_features});
  model.scale = finite_values(file, "scale", {n_features});
  model.exponent = file.values<std::int32_t>("exponent", {n_features});
}

Layout layout_named(const std::string& name) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    if (name_of(layout) == name) return layout;
  }
  throw DataError(fmt::format("layout \"{}\" is not dense or sparse", name));
}

std::array<std::string, 2> classes_from_json(const nlohmann::json& json) {
  if (json.size() != 2) throw DataError(fmt::format("{} classes, expected 2", json.size()));
  return json.get<std::array<std::string, 2>>();
}

void read_meaning(const Safetensors& file, Model& model) {
  try {
    model.layout = layout_named(file.metadata("layout"));
    model.schema = schema_from_json(json_entry(file, "schema"));
    model.schema.feature_names =
        feature_names_from_json(json_entry(file, "feature_names"), model.shift.size());
    model.schema.classes = classes_from_json(json_entry(file, "classes"));
    model.config = config_from_model_json(json_entry(file, "config"));
    if (file.metadata().contains("convergence")) {
      model.convergence = convergence_from_json(json_entry(file, "convergence"));
    }
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: metadata: {}", file.file(), error.what()));
  } catch (const Error& error) {
    const std::string what = error.what();
    throw DataError(
        what.starts_with(file.file()) ? what : fmt::format("{}: metadata: {}", file.file(), what));
  }
}

}  // namespace

RawCoefficients raw_coefficients(const Model& model) {
  const FloatingPointGuard guard;  // the caller's rounding must not show in the file
  RawCoefficients raw{.weights = model.weights, .intercept = model.intercept};
  for (std::size_t j = 0; j < raw.weights.size(); ++j) {
    raw.weights[j] *= model.scale[j];
    raw.intercept -= raw.weights[j] * model.shift[j];
  }
  return raw;
}

std::string save_model(const Model& model, const std::filesystem::path& file) {
  const FloatingPointGuard guard;  // printing a number rounds, too
  const RawCoefficients raw = raw_coefficients(model);
  const std::int64_t n_features = model.n_features();
  assert(std::ssize(model.weights) == n_features);
  assert(std::ssize(model.scale) == n_features && std::ssize(model.exponent) == n_features);
  const auto row = [&](const std::vector<double>& weights) {
    return tensor_view(std::span(weights), {1, n_features});
  };
  const auto number = [](const double& value) { return tensor_view(std::span(&value, 1), {1}); };
  const auto vector = [&](const auto& values) {
    return tensor_view(std::span(values), {n_features});
  };
  const TensorViews tensors = {
      {"weights", row(model.weights)},          {"intercept", number(model.intercept)},
      {"shift", vector(model.shift)},           {"scale", vector(model.scale)},
      {"exponent", vector(model.exponent)},     {"raw_weights", row(raw.weights)},
      {"raw_intercept", number(raw.intercept)},
  };
  return save_safetensors(file, tensors, metadata_of(model));
}

Model load_model(const std::filesystem::path& path) {
  const FloatingPointGuard guard;  // parsing a number rounds
  const Safetensors file = load_safetensors(path);
  check_kind(file);
  Model model;
  read_numbers(file, model);
  read_meaning(file, model);
  return model;
}

}  // namespace ossau
