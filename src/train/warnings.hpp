#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ossau/config.hpp"
#include "ossau/summary.hpp"
#include "train/preparation.hpp"

namespace ossau {

/// What must be known of the rows to tell whether a model of them is what was asked for.
struct WarningFacts {
  std::int64_t rows = 0;         // to train on, of all ranks
  std::int64_t columns = 0;      // d
  bool goes_to_optimum = false;  // a solver, or what was chosen in its place
  // Features each of which parts the classes alone, in all rows that weigh something.
  std::vector<std::string> separating = {};
  // Mean losses of a model without features that was fitted to the training rows.
  double constant_loss = 0;
  std::optional<double> validation_constant_loss = std::nullopt;
};

/// Before a backend takes the rows.  given: before resolved() filled it in.
WarningFacts warning_facts(const Config& given, const PreparedData& data, const Schema& schema);

/// Fills in summary.warnings, each with what helps: not converged, separable, worse than a
/// constant, few rows.  Where no optimum exists the training has not converged.
void add_warnings(const WarningFacts& facts, const Config& config, Summary& summary);

}  // namespace ossau
