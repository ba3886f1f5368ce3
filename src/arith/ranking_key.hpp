#pragma once

#include <cstdint>

#include "arith/bits.hpp"
#include "arith/contract.hpp"

namespace ossau {

/// A score and its row's class as one integer that sorts by score; +0 and -0 are the same.
OSSAU_HOST_DEVICE inline std::int64_t ranking_key(float score, bool positive) {
  // Adding +0 turns -0 into +0.
  const auto bits = bit_copy<std::int32_t>(score + 0.0f);
  const std::int64_t ordered = bits < 0 ? bits ^ INT32_MAX : bits;
  return ordered * 2 + (positive ? 1 : 0);
}

}  // namespace ossau
