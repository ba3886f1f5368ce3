#pragma once

#include <string>

#include "ossau/summary.hpp"
#include "train/model.hpp"

namespace ossau {

/// What a finished training shows: data, quality, confusion matrices, strongest coefficients,
/// times and where the files are.  Plain text of at most 80 columns.
std::string final_table(const Summary& summary, const Model& model);

}  // namespace ossau
