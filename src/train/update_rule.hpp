#pragma once

#include <cstdint>

#include "backend/backend.hpp"
#include "ossau/config.hpp"
#include "train/preparation.hpp"

namespace ossau {

/// The penalties of a configuration as the update sees them.
Penalty make_penalty(const Config& config);

/// The update rule that a configuration asks for on this layout.
UpdateRule choose_rule(const Config& config, Layout layout);

/// Warns where every step updates far more weights than its batch has entries.
void warn_of_dense_update(const PreparedData& data, UpdateRule rule, std::int64_t batch_rows);

}  // namespace ossau
