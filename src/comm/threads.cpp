#include "comm/threads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "ossau/error.hpp"

namespace ossau {
namespace {

// What a rank brings to a collective; every rank must bring the same kind.
struct Call {
  std::string operation;
  std::size_t size = 0;
  std::int64_t* values = nullptr;
  const std::int64_t* given = nullptr;
  std::byte* bytes = nullptr;
};

void reduce_into(std::int64_t& total, std::int64_t value, Reduction reduction) {
  switch (reduction) {
    case Reduction::kSum:
      total += value;
      return;
    case Reduction::kMin:
      total = std::min(total, value);
      return;
    case Reduction::kMax:
      total = std::max(total, value);
      return;
  }
}

}  // namespace

// Ranks meet at a barrier, each with its call laid down; between two barriers they may read and
// write each other's buffers.
class ThreadGroup::State {
 public:
  State(std::int64_t size, double timeout_s)
      : timeout_s_(timeout_s),
        calls_(static_cast<std::size_t>(size)),
        positions_(static_cast<std::size_t>(size)),
        arrivals_(static_cast<std::size_t>(size), 0) {}

  std::int64_t size() const { return static_cast<std::int64_t>(calls_.size()); }
  const std::vector<Call>& calls() const { return calls_; }

  void set_position(std::int64_t rank, Position position) {
    const std::lock_guard lock(mutex_);
    positions_[static_cast<std::size_t>(rank)] = position;
  }

  void abort(std::int64_t rank, const std::string& reason) noexcept {
    try {
      const std::lock_guard lock(mutex_);
      if (!aborted_.empty()) return;
      aborted_ = fmt::format("rank {} gave up ({}): {}", rank,
                             describe(positions_[static_cast<std::size_t>(rank)]), reason);
    } catch (...) {
      aborted_ = "a rank gave up";  // short enough to need no memory
    }
    changed_.notify_all();
  }

  std::string gave_up() const {
    const std::lock_guard lock(mutex_);
    return aborted_;
  }

  std::string last_seen_but(std::int64_t me) const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (std::size_t rank = 0; rank < positions_.size(); ++rank) {
      if (rank == static_cast<std::size_t>(me)) continue;
      text += fmt::format("{}rank {} in {}", text.empty() ? "" : ", ", rank,
                          describe(positions_[rank]));
    }
    return text;
  }

  // Lays down `call` and returns once every rank has.
  void arrive(std::int64_t rank, Call call) {
    std::unique_lock lock(mutex_);
    const auto me = static_cast<std::size_t>(rank);
    calls_[me] = std::move(call);
    meet(lock, me);
    for (const Call& other : calls_) {
      if (other.operation == calls_[me].operation && other.size == calls_[me].size) continue;
      throw CommError(fmt::format(
          "ranks are out of step: rank {} is in {} ({} values), another rank in {} ({} values)",
          rank, calls_[me].operation, calls_[me].size, other.operation, other.size));
    }
  }

  // Returns once every rank has finished with the others' buffers.  No deadline: every rank has
  // arrived, so each is only adding or copying; leaving early would free memory in use.
  void leave(std::int64_t rank) {
    std::unique_lock lock(mutex_);
    const std::uint64_t round = ++arrivals_[static_cast<std::size_t>(rank)];
    changed_.notify_all();
    changed_.wait(lock, [&] { return all_reached(round); });
  }

 private:
  void meet(std::unique_lock<std::mutex>& lock, std::size_t me) {
    check_aborted(me);
    const std::uint64_t round = ++arrivals_[me];
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::duration<double>(timeout_s_),
                      [&] { return !aborted_.empty() || all_reached(round); });
    if (all_reached(round)) return;
    check_aborted(me);
    fail_late(me, round);
  }

  bool all_reached(std::uint64_t round) const {
    return std::all_of(arrivals_.begin(), arrivals_.end(),
                       [round](std::uint64_t arrived) { return arrived >= round; });
  }

  void check_aborted(std::size_t me) const {
    if (aborted_.empty()) return;
    throw CommError(fmt::format("{}; rank {} leaves ({})", aborted_, me, describe(positions_[me])));
  }

  // Ends the group under the lock: a rank that comes later must not complete the round and touch
  // the buffers of those that have left.
  [[noreturn]] void fail_late(std::size_t me, std::uint64_t round) {
    std::string late;
    for (std::size_t rank = 0; rank < arrivals_.size(); ++rank) {
      if (arrivals_[rank] >= round) continue;
      late += fmt::format("{}rank {} (last seen in {})", late.empty() ? "" : ", ", rank,
                          describe(positions_[rank]));
    }
    aborted_ = fmt::format(
        "{}: {} did not come within {:g} s; rank {} waited in {} (if it is only slow, raise "
        "communication.timeout_s)",
        calls_[me].operation, late, timeout_s_, me, describe(positions_[me]));
    changed_.notify_all();
    throw CommError(aborted_);
  }

  double timeout_s_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Call> calls_;              // [ranks]
  std::vector<Position> positions_;      // [ranks]
  std::vector<std::uint64_t> arrivals_;  // [ranks]: barriers reached
  std::string aborted_;                  // why, once a rank has given up
};

namespace {

class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(ThreadGroup::State& group, std::int64_t rank) : group_(group), rank_(rank) {}

  RankInfo rank() const override { return {.rank = rank_, .size = group_.size()}; }

  void all_reduce(SumBuffer buffer, Reduction reduction, std::string_view operation) override {
    if (buffer.space != MemorySpace::kHost) {
      throw CommError("threads communicator: the buffer is not in host memory");
    }
    group_.arrive(
        rank_, {.operation = std::string(operation), .size = buffer.size, .values = buffer.data});
    reduce_my_share(buffer.size, reduction);
    group_.leave(rank_);
  }

  void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                  std::span<std::int64_t> all, std::string_view operation) override {
    group_.arrive(rank_,
                  {.operation = std::string(operation), .size = all.size(), .given = mine.data()});
    auto place = all.begin();
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      place = std::copy_n(group_.calls()[k].given, sizes[k], place);
    }
    group_.leave(rank_);
  }

  void broadcast(std::span<std::byte> bytes, std::int64_t root,
                 std::string_view operation) override {
    group_.arrive(
        rank_, {.operation = std::string(operation), .size = bytes.size(), .bytes = bytes.data()});
    const std::byte* source = group_.calls()[static_cast<std::size_t>(root)].bytes;
    if (rank_ != root && !bytes.empty()) std::memcpy(bytes.data(), source, bytes.size());
    group_.leave(rank_);
  }

  void barrier(std::string_view operation) override {
    group_.arrive(rank_, {.operation = std::string(operation)});
    group_.leave(rank_);
  }

  void abort(const std::string& reason, ExitCode) noexcept override { group_.abort(rank_, reason); }

  std::string gave_up() const override { return group_.gave_up(); }

  void set_position(Position position) override { group_.set_position(rank_, position); }
  std::string last_seen() const override { return group_.last_seen_but(rank_); }

 private:
  // Each rank reduces its own share of the elements, in everybody's buffer.
  void reduce_my_share(std::size_t size, Reduction reduction) {
    const auto me = static_cast<std::size_t>(rank_);
    const std::vector<Call>& calls = group_.calls();
    const std::size_t end = size * (me + 1) / calls.size();
    for (std::size_t i = size * me / calls.size(); i < end; ++i) {
      std::int64_t total = calls[0].values[i];
      for (std::size_t k = 1; k < calls.size(); ++k) {
        reduce_into(total, calls[k].values[i], reduction);
      }
      for (const Call& call : calls) call.values[i] = total;
    }
  }

  ThreadGroup::State& group_;
  std::int64_t rank_;
};

}  // namespace

ThreadGroup::ThreadGroup(std::int64_t size, double timeout_s)
    : state_(std::make_unique<State>(size, timeout_s)) {}

ThreadGroup::~ThreadGroup() = default;

std::unique_ptr<Communicator> ThreadGroup::communicator(std::int64_t rank) {
  return std::make_unique<ThreadCommunicator>(*state_, rank);
}

}  // namespace ossau
