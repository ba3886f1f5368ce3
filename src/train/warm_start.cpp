#include "train/warm_start.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "core/first_names.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

using Classes = std::array<std::string, 2>;

// 1, or -1 where the model's positive class is the negative one here.
double orientation(const Classes& model, const Classes& here) {
  if (model == here) return 1;
  if (model[0] == here[1] && model[1] == here[0]) return -1;
  throw DataError(
      fmt::format("its classes are \"{}\" and \"{}\", those here \"{}\" and \"{}\" (start from a "
                  "model of the same label, or without training.init)",
                  model[0], model[1], here[0], here[1]));
}

}  // namespace

WarmStart warm_start(const Model& model, const Schema& schema, const ColumnTransform& transform,
                     bool intercept) {
  const double sign = orientation(model.schema.classes, schema.classes);
  const RawCoefficients raw = raw_coefficients(model);
  std::unordered_map<std::string_view, std::size_t> place;
  for (std::size_t j = 0; j < raw.weights.size(); ++j) {
    place.emplace(model.schema.feature_names[j], j);
  }
  const std::size_t features = schema.feature_names.size();
  WarmStart start{.weights = std::vector<double>(features + 1), .fresh = {}, .left_out = {}};
  double constant = raw.intercept;
  for (std::size_t j = 0; j < features; ++j) {
    const auto found = place.find(schema.feature_names[j]);
    if (found == place.end()) {
      start.fresh.push_back(schema.feature_names[j]);
      continue;
    }
    const double weight = raw.weights[found->second];
    constant += weight * transform.shift[j];
    start.weights[j] = sign * weight / transform.scale[j];
    place.erase(found);
  }
  if (start.fresh.size() == features && features > 0) {
    throw DataError("none of its columns is here (it must have been trained on such a table)");
  }
  for (const std::string& name : model.schema.feature_names) {
    if (place.contains(name)) start.left_out.push_back(name);
  }
  if (intercept) start.weights.back() = sign * constant;
  for (const double weight : start.weights) {
    if (!std::isfinite(weight)) throw DataError("its weights are too large for these columns");
  }
  return start;
}

WarmStart warm_start_from(const std::string& file, const Schema& schema,
                          const ColumnTransform& transform, bool intercept) {
  const Model model = load_model(file);
  try {
    return warm_start(model, schema, transform, intercept);
  } catch (const DataError& error) {
    throw DataError(fmt::format("training.init: {}: {}", file, error.what()));
  }
}

std::string describe(const WarmStart& start) {
  const std::size_t features = start.weights.size() - 1;
  std::string text =
      fmt::format("{} of {} columns start there", features - start.fresh.size(), features);
  if (!start.fresh.empty()) text += fmt::format("; at 0: {}", first_names(start.fresh));
  if (!start.left_out.empty()) text += fmt::format("; not here: {}", first_names(start.left_out));
  return text;
}

}  // namespace ossau
