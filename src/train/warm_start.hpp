#pragma once

#include <string>
#include <vector>

#include "data/table.hpp"
#include "train/model.hpp"
#include "train/preparation.hpp"

namespace ossau {

/// Where a training starts that goes on from a model.
struct WarmStart {
  std::vector<double> weights;        // [d + 1], intercept last
  std::vector<std::string> fresh;     // features that the model does not know: they start at 0
  std::vector<std::string> left_out;  // features of the model that are not here
};

/// The model's function of the columns that both know, by name, whatever either does to scale them.
/// schema, transform: the training's.  A model of the same classes the other way round is turned
/// round.  Throws DataError where classes or features have nothing in common, or a weight
/// overflows.
WarmStart warm_start(const Model& model, const Schema& schema, const ColumnTransform& transform,
                     bool intercept);

/// The same of a model file.  Throws DataError that names it.
WarmStart warm_start_from(const std::string& file, const Schema& schema,
                          const ColumnTransform& transform, bool intercept);

/// One line about it: how many features start from the model, and which do not.
std::string describe(const WarmStart& start);

}  // namespace ossau
