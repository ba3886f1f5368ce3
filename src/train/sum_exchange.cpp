#include "train/sum_exchange.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "core/clock.hpp"
#include "train/rank_reduce.hpp"

namespace ossau {
namespace {

constexpr std::string_view kOperation = "gradient sums";

// A pair takes twice the bytes of a sum, and a place of its own in memory that is not read in
// order: beyond this share of the features (a quarter) all of them are faster, also to update.
constexpr std::int64_t kLeastShare = 4;

constexpr std::size_t kNumbersOfPair = 2;
static_assert(sizeof(FeatureSum) == kNumbersOfPair * sizeof(std::int64_t));

std::span<const std::int64_t> numbers(std::span<const FeatureSum> entries) {
  return {reinterpret_cast<const std::int64_t*>(entries.data()), entries.size() * kNumbersOfPair};
}

std::span<std::int64_t> numbers(std::span<FeatureSum> entries) {
  return {reinterpret_cast<std::int64_t*>(entries.data()), entries.size() * kNumbersOfPair};
}

}  // namespace

SumExchange::SumExchange(Backend& backend, Communicator& communicator, std::int64_t features,
                         double batch_entries)
    : backend_(backend),
      communicator_(communicator),
      features_(features),
      may_go_by_feature_(communicator.rank().size > 1 && backend.sparse_sums() != nullptr &&
                         batch_entries <= static_cast<double>(features)) {
  if (!may_go_by_feature_) return;
  // A step allocates nothing; memory that is not touched costs nothing.
  const auto ranks = static_cast<std::size_t>(communicator.rank().size);
  mine_.reserve(static_cast<std::size_t>(features / kLeastShare));
  all_.reserve(static_cast<std::size_t>(features / kLeastShare));
  header_.reserve(ranks + 2 + backend.sparse_sums()->rest().size());
  sizes_.reserve(ranks);
}

std::int64_t SumExchange::add(std::int64_t note) {
  if (communicator_.rank().size == 1) return note;
  const Stopwatch watch;
  note = may_go_by_feature_ ? add_by_feature_or_all(note)
                            : reduce_sums_and_note(backend_, communicator_, note, kOperation);
  seconds_ += watch.seconds();
  return note;
}

// The header: how many pairs each rank brings, how many ranks cannot tell, the note, and the sums
// that belong to no feature.
std::int64_t SumExchange::add_by_feature_or_all(std::int64_t note) {
  const auto ranks = static_cast<std::size_t>(communicator_.rank().size);
  SparseSums& sums = *backend_.sparse_sums();
  const std::span<std::int64_t> rest = sums.rest();
  mine_.clear();
  const bool listed = sums.take(mine_);
  header_.assign(ranks, 0);
  header_[static_cast<std::size_t>(communicator_.rank().rank)] =
      static_cast<std::int64_t>(mine_.size());
  header_.push_back(listed ? 0 : 1);
  header_.push_back(note);
  header_.insert(header_.end(), rest.begin(), rest.end());
  all_reduce(communicator_, header_, Reduction::kSum, kOperation);

  const std::span<const std::int64_t> counts(header_.data(), ranks);
  const std::int64_t pairs = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const bool all_listed = header_[ranks] == 0;
  note = header_[ranks + 1];
  if (all_listed && pairs * kLeastShare <= features_) {
    std::copy(header_.end() - static_cast<std::ptrdiff_t>(rest.size()), header_.end(),
              rest.begin());
    exchange_features();
  } else {
    if (listed) sums.add(mine_);
    reduce_sums(backend_, communicator_, kOperation);
  }
  return note;
}

void SumExchange::exchange_features() {
  sizes_.clear();
  for (std::size_t rank = 0; rank < static_cast<std::size_t>(communicator_.rank().size); ++rank) {
    sizes_.push_back(static_cast<std::size_t>(header_[rank]) * kNumbersOfPair);
  }
  const std::size_t all = std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{0});
  all_.resize(all / kNumbersOfPair);
  communicator_.all_gather(numbers(std::span<const FeatureSum>(mine_)), sizes_,
                           numbers(std::span<FeatureSum>(all_)), kOperation);
  backend_.sparse_sums()->add(all_);
  ++n_by_feature_;
}

}  // namespace ossau
