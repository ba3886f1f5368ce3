#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "ossau/summary.hpp"
#include "train/observer.hpp"

namespace ossau {

// The spelling of results in files.  Key order is fixed, numbers read back as the same bits, and
// what is not finite (the AUC of one class) is null.

nlohmann::ordered_json metrics_json(const Metrics& metrics);

/// One line of metrics.jsonl, without the end of line.  The last two fields are times, the only
/// ones outside the bit promise.
std::string epoch_line(const EpochReport& report);

/// Stored entries of the training rows that training went over in a second.
double entries_per_second(const Summary& summary);

/// The content of summary.json.  All under "time" and "speed" is outside the bit promise, and so is
/// "resumed_from_step", which says how this run came to its model.
std::string summary_text(const Summary& summary);

}  // namespace ossau
