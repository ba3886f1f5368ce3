#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/share.hpp"
#include "data/table.hpp"
#include "data/text/labels.hpp"
#include "data/text/source_files.hpp"

namespace ossau {

/// The processes that read the same files, each for its own rows.
class Peers {
 public:
  /// A process alone.
  Peers() = default;
  /// gather: needed unless the process is alone.
  Peers(const DataShare& share, GatherTexts gather) : share_(share), gather_(std::move(gather)) {}

  const DataShare& share() const { return share_; }
  bool alone() const { return share_.process.size == 1; }
  /// Whether this process speaks for all, in warnings.
  bool first() const { return share_.process.rank == 0; }

  /// The texts of all processes in order of rank.  Collective.
  std::vector<std::string> gather(std::string mine, std::string_view operation) const;

 private:
  DataShare share_;
  GatherTexts gather_;
};

// What processes found apart, put together: the same on all of them, and the same as one process
// would have found.  All are collective.

/// Element-wise sums.
void unite_sums(const Peers& peers, std::vector<std::int64_t>& values, std::string_view operation);

/// The largest of the processes' numbers.
std::int64_t unite_max(const Peers& peers, std::int64_t value, std::string_view operation);

/// Their sum, and the first of all.
void unite(const Peers& peers, Skipped& skipped, std::string_view operation);

/// Labels of all, numbered as they appear; the labels of `table` are numbered anew.
/// Throws DataError for a third label.
void unite(const Peers& peers, LabelSet& labels, Table& table);

/// For each list: the texts in any process's list of that place, sorted, each once.
void unite(const Peers& peers, std::vector<std::vector<std::string>>& lists,
           std::string_view operation);

}  // namespace ossau
