#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arith/wide_sum.hpp"
#include "backend/backend.hpp"
#include "comm/communicator.hpp"
#include "data/statistics.hpp"

namespace ossau {

// What ranks found apart, put together: exact whatever the number of ranks.

void merge_ranges(Communicator& communicator, ColumnRanges& ranges);
void merge_moments(Communicator& communicator, ColumnMoments& moments);

/// Adds 128-bit sums over ranks, in place.
void merge_sums(Communicator& communicator, std::span<Int128> sums, std::string_view operation);

/// Adds the sums of a backend's last pass over ranks, in place.
void reduce_sums(Backend& backend, Communicator& communicator, std::string_view operation);
/// The same, and the sum of the ranks' notes, which travels along where the sums are in host
/// memory.
std::int64_t reduce_sums_and_note(Backend& backend, Communicator& communicator, std::int64_t note,
                                  std::string_view operation);

/// The sum of the ranks' numbers.
std::int64_t merge_sum(Communicator& communicator, std::int64_t value, std::string_view operation);

/// The same for steps that a backend runs by itself: what queues the addition behind its work, and
/// what waits for it.  Empty for a rank alone.
std::function<void(SumBuffer)> queued_reduction(Communicator& communicator,
                                                std::string_view operation);
std::function<void(SumBuffer)> awaited_reduction(Communicator& communicator,
                                                 std::string_view operation);

/// The texts of all ranks, in order of rank.
std::vector<std::string> gather_texts(Communicator& communicator, std::string mine,
                                      std::string_view operation);

/// The largest of the ranks' numbers.
double merge_max(Communicator& communicator, double value, std::string_view operation);

}  // namespace ossau
