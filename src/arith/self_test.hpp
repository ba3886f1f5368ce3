#pragma once

#include <string>

namespace ossau {

/// Known answers of the operations that the contract rests on (fma, subnormals, rounding,
/// conversion, the logistic function), computed by the calling thread.  Empty when all are right,
/// else the name of the first wrong one.
std::string arithmetic_self_test();

}  // namespace ossau
