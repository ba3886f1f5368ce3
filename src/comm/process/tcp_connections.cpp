#include "comm/process/tcp_connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "comm/process/handshake.hpp"
#include "core/clock.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

constexpr double kRetrySeconds = 0.05;
constexpr double kAttemptSeconds = 3;

std::vector<std::int64_t> neighbours_of(RankInfo me) {
  const auto corners =
      static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(me.size)));
  if (me.rank >= corners) return {me.rank - corners};
  std::vector<std::int64_t> ranks;
  for (std::int64_t axis = 1; axis < corners; axis *= 2) ranks.push_back(me.rank ^ axis);
  if (me.rank + corners < me.size) ranks.push_back(me.rank + corners);
  return ranks;
}

// The connections of one rank: it calls those with a smaller number, and is called by the others.
class Connections {
 public:
  Connections(const Listener& listener, RankInfo me, const std::vector<Member>& members,
              const std::string& token, double timeout_s, const std::function<void()>& look)
      : listener_(listener),
        me_(me),
        members_(members),
        token_(token),
        look_(look),
        deadline_(timeout_s) {}

  std::map<std::int64_t, Socket> make() {
    std::size_t callers = 0;
    for (const std::int64_t rank : neighbours_of(me_)) {
      if (rank < me_.rank) {
        made_.emplace(rank, call(rank));
      } else {
        ++callers;
      }
    }
    while (callers > 0) callers -= answer() ? 1 : 0;
    return std::move(made_);
  }

 private:
  struct Caller {
    Socket socket;
    GuestHandshake handshake;
    std::array<std::byte, sizeof(std::int64_t)> number{};
    std::size_t filled = 0;
    bool known = false;
  };

  Socket call(std::int64_t rank) const {
    const Member& other = members_[static_cast<std::size_t>(rank)];
    std::string reason;
    do {
      look_();
      const Deadline soon(std::min(kAttemptSeconds, deadline_.left_s()));
      try {
        Socket socket = connect_to(other.data, soon);
        prove_to_server(socket, token_, soon);
        socket.send_all(std::as_bytes(std::span(&me_.rank, 1)), soon);
        return socket;
      } catch (const SocketError& error) {
        reason = error.what();
      }
      wait_for({}, {}, kRetrySeconds);
    } while (!deadline_.passed());
    throw CommError(
        fmt::format("start: {} cannot reach {} at {}: {} (see what the network between "
                    "them lets through, and communication.interface)",
                    name_of(members_[static_cast<std::size_t>(me_.rank)]), name_of(other),
                    to_string(other.data), reason));
  }

  // Whether a rank that was waited for has called.
  bool answer() {
    look_();
    if (deadline_.passed()) fail_unreached();
    std::vector<int> readable = {listener_.descriptor()};
    for (const Caller& caller : callers_) readable.push_back(caller.socket.descriptor());
    wait_for(readable, {}, std::min(deadline_.left_s(), 0.1));
    if (std::optional<Socket> socket = listener_.accept())
      callers_.push_back({std::move(*socket), {}});
    for (auto caller = callers_.begin(); caller != callers_.end(); ++caller) {
      try {
        if (!identify(*caller)) continue;
        std::int64_t rank = 0;
        std::memcpy(&rank, caller->number.data(), sizeof rank);
        const bool expected = rank > me_.rank && rank < me_.size && !made_.contains(rank);
        if (expected) made_.emplace(rank, std::move(caller->socket));
        callers_.erase(caller);
        return expected;
      } catch (const SocketError&) {
        callers_.erase(caller);  // a stranger, or a rank that will call again
        return false;
      }
    }
    return false;
  }

  bool identify(Caller& caller) const {
    if (!caller.known) caller.known = caller.handshake.advance(caller.socket, token_);
    if (!caller.known) return false;
    caller.filled += caller.socket.receive_some(std::span(caller.number).subspan(caller.filled));
    return caller.filled == caller.number.size();
  }

  [[noreturn]] void fail_unreached() const {
    std::vector<std::int64_t> missing;
    for (const std::int64_t rank : neighbours_of(me_)) {
      if (!made_.contains(rank)) missing.push_back(rank);
    }
    throw CommError(fmt::format(
        "start: {} was not reached at {} by {} within {:g} s (see what the network between them "
        "lets through, and communication.interface)",
        name_of(members_[static_cast<std::size_t>(me_.rank)]),
        to_string(members_[static_cast<std::size_t>(me_.rank)].data), listed_ranks(missing),
        deadline_.seconds()));
  }

  const Listener& listener_;
  RankInfo me_;
  const std::vector<Member>& members_;
  const std::string& token_;
  const std::function<void()>& look_;
  Deadline deadline_;
  std::map<std::int64_t, Socket> made_;
  std::vector<Caller> callers_;
};

}  // namespace

std::map<std::int64_t, Socket> connect_neighbours(const Listener& listener, RankInfo me,
                                                  const std::vector<Member>& members,
                                                  const std::string& token, double timeout_s,
                                                  const std::function<void()>& look) {
  return Connections(listener, me, members, token, timeout_s, look).make();
}

}  // namespace ossau
