#pragma once

#include <cstdint>

#include "backend/backend.hpp"
#include "ossau/config.hpp"
#include "train/preparation.hpp"

namespace ossau {

/// The penalties of a configuration as the update sees them.  It and all that follow take one that
/// resolved() gave.
Penalty make_penalty(const Config& config);

/// The update rule that a configuration asks for on this layout.
UpdateRule choose_rule(const Config& config, Layout layout);

/// The learning rate that a training begins with; lipschitz: of the mean loss.
double first_learning_rate(const Config& config, UpdateRule rule, double lipschitz);

/// Warns where every step updates far more weights than its batch has entries.
void warn_of_dense_update(const Config& config, const PreparedData& data, UpdateRule rule);

}  // namespace ossau
