#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "comm/communicator.hpp"

namespace ossau {

/// Adds a step's gradient sums over ranks.  Where a batch touches few of many features, only those
/// travel, as pairs of feature and sum; chosen for each step from what all ranks have touched in
/// it. Either way the same integers are added, so the choice changes no bit.
class SumExchange {
 public:
  /// features: d.  batch_entries: stored ones of a batch, of all ranks, on average; both the same
  /// on all ranks.
  SumExchange(Backend& backend, Communicator& communicator, std::int64_t features,
              double batch_entries);

  /// Collective.  note: a number of this rank's that travels along; returns the sum of all ranks'.
  std::int64_t add(std::int64_t note);

  /// Seconds spent in add() so far, waiting for other ranks included.
  double seconds() const { return seconds_; }
  /// Calls that moved touched features only.
  std::int64_t by_feature() const { return n_by_feature_; }

 private:
  std::int64_t add_by_feature_or_all(std::int64_t note);
  void exchange_features();

  Backend& backend_;
  Communicator& communicator_;
  std::int64_t features_;
  bool may_go_by_feature_;
  double seconds_ = 0;
  std::int64_t n_by_feature_ = 0;
  // Used again in every step.
  std::vector<FeatureSum> mine_;
  std::vector<FeatureSum> all_;
  std::vector<std::int64_t> header_;
  std::vector<std::size_t> sizes_;  // [ranks], numbers that each brings
};

}  // namespace ossau
