#pragma once

#include <cstdint>
#include <vector>

#include "report/plan.hpp"

namespace ossau::bench {

/// How long ranks took to add up so many numbers of 8 bytes.
struct AllReduceTime {
  std::int64_t numbers = 0;
  double seconds = 0;
};

/// The latency and bandwidth with which all_reduce_s() comes closest to what was measured: least
/// squares of the relative errors, since the times span orders of magnitude.
/// times: of two sizes at the least.
Network fit_network(const std::vector<AllReduceTime>& times, std::int64_t ranks);

}  // namespace ossau::bench
