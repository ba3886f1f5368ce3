#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/table.hpp"
#include "ossau/config.hpp"
#include "ossau/summary.hpp"

namespace ossau {

/// A trained model: everything needed to score a row of text, and how it came to be.
struct Model {
  std::vector<double> weights;  // [d], for standardised features
  double intercept = 0;
  std::vector<double> shift;           // [d]: a feature is (x - shift) * scale
  std::vector<double> scale;           // [d]
  std::vector<std::int32_t> exponent;  // [d]: stored as feature * 2^-exponent, at most 1
  Schema schema;                       // names, categories, classes, reading options
  Layout layout = Layout::kDense;      // never kAuto
  // Of a solver: how far from the optimum it is; only gap, certified and converged are written.
  std::optional<Convergence> convergence;
  Config config;  // only data (without paths), model, optimizer and training are written

  std::int64_t n_features() const { return static_cast<std::int64_t>(shift.size()); }
};

/// Coefficients for raw columns, in float64: for reading and export, not for scoring.
struct RawCoefficients {
  std::vector<double> weights;  // [d]
  double intercept = 0;
};
RawCoefficients raw_coefficients(const Model& model);

/// Writes `model` as safetensors, aside first, then renamed.  Equal training gives equal bytes.
/// Returns the SHA-256 of the file in hexadecimal.  Throws DeviceError.
std::string save_model(const Model& model, const std::filesystem::path& file);

/// Reads what save_model wrote and verifies its checksum.  Throws DataError.
Model load_model(const std::filesystem::path& file);

}  // namespace ossau
