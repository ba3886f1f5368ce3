#pragma once

#include "solve/objective.hpp"

namespace ossau {

/// A step t along a line from whose start it goes down by `slope` < 0, at which the slope's size is
/// a tenth of that or less; the last step that still goes down where there is none.  Reads no rows.
/// guess: about where the slope is 0.
double search(Objective& objective, const Line& line, double slope, double guess);

}  // namespace ossau
