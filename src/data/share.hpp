#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/rank.hpp"

namespace ossau {

/// Which rows a process keeps: those of the virtual shards that rank k of N owns.  Alone: all.
struct DataShare {
  RankInfo process;
  std::int64_t virtual_shards = 64;
};

/// Gives every process the texts of all of them, in order of rank.  Collective: every process makes
/// the same calls in the same order.  operation: what for, said in error messages.
using GatherTexts =
    std::function<std::vector<std::string>(std::string mine, std::string_view operation)>;

}  // namespace ossau
