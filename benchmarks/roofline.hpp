#pragma once

#include <string>

#include "results.hpp"

namespace ossau::bench {

/// The gradient rows as a roofline picture: arithmetic intensity across, performance up, both
/// logarithmic.  source: the results file, for the caption.  Throws std::runtime_error where the
/// results have no gradients of dense rows.
/// Source: Williams, Waterman and Patterson, Roofline: an insightful visual performance model,
/// 2009.
std::string roofline_svg(const Results& results, const std::string& source);

}  // namespace ossau::bench
