#pragma once

#include <cstdint>

namespace ossau {

/// Which of how many.
struct RankInfo {
  std::int64_t rank = 0;
  std::int64_t size = 1;
};

}  // namespace ossau
