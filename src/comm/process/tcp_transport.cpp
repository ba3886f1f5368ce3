#include "comm/process/tcp_transport.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "comm/process/tcp_connections.hpp"

// Ranks sit at the corners of a hypercube, numbered in binary: rank r has a neighbour r ^ 2^i along
// each axis i.  Of N ranks, the first P = 2^floor(log2 N) do; each rank beyond them hands its
// numbers to rank r - P before, and gets the result after.
// Few numbers: everyone swaps all of them along each axis (recursive doubling; log2 P messages).
// Many: along each axis half of what is left, keeping the other half, and back again (recursive
// halving and doubling, Rabenseifner 2004): 2 log2 P messages, but only 2 (P - 1) / P of the bytes.

namespace ossau {
namespace {

// Looking at a socket costs less than sleeping and waking.
constexpr int kLooksBeforeSleep = 200;
constexpr int kSleepMilliseconds = 20;
constexpr int kTurnsPerLook = 1024;

enum class Kind : std::uint32_t { kSum, kMin, kMax, kBroadcast, kGather };

Kind kind_of(Reduction reduction) {
  switch (reduction) {
    case Reduction::kMin:
      return Kind::kMin;
    case Reduction::kMax:
      return Kind::kMax;
    case Reduction::kSum:
      break;
  }
  return Kind::kSum;
}

// Before each message: that both sides mean the same.
struct Header {
  std::uint64_t number = 0;  // of the call
  std::uint64_t bytes = 0;   // of the message
  Kind kind = Kind::kSum;
  std::uint32_t total = 0;  // numbers or bytes of the call, cut to 32 bits
  std::array<char, 40> operation{};
};

Header header_of(const TransportCall& call, Kind kind, std::size_t total, std::size_t bytes) {
  Header header{.number = call.number,
                .bytes = bytes,
                .kind = kind,
                .total = static_cast<std::uint32_t>(total),
                .operation = {}};
  std::memcpy(header.operation.data(), call.operation.data(),
              std::min(call.operation.size(), header.operation.size() - 1));
  return header;
}

std::span<const std::byte> bytes_of(const Header& header) {
  return std::as_bytes(std::span(&header, 1));
}

// One message out and one in, at the same time, over one connection.
class Exchange {
 public:
  Exchange(const Socket& socket, std::int64_t peer, const TransportCall& call)
      : socket_(socket), peer_(peer), call_(call) {}

  void run(Kind kind, std::size_t total, std::span<const std::byte> out, std::span<std::byte> in,
           bool sends, bool receives) {
    const Header mine = header_of(call_, kind, total, out.size());
    Header theirs;
    std::array<std::span<const std::byte>, 2> outgoing = {
        sends ? bytes_of(mine) : std::span<const std::byte>(),
        sends ? out : std::span<const std::byte>()};
    std::array<std::span<std::byte>, 2> incoming = {
        receives ? std::as_writable_bytes(std::span(&theirs, 1)) : std::span<std::byte>(),
        std::span<std::byte>()};
    bool checked = !receives;
    int idle = 0;
    int turns = 0;
    while (left(outgoing) || left(incoming) || !checked) {
      bool moved = false;
      if (++turns % kTurnsPerLook == 0) call_.look();  // also where a little always moves
      if (left(outgoing)) moved = send(outgoing);
      if (left(incoming)) moved = receive(incoming) || moved;
      if (!checked && !left(incoming)) {
        check(theirs, header_of(call_, kind, total, in.size()));
        incoming[1] = in;
        checked = true;
      }
      if (moved) {
        idle = 0;
      } else {
        rest(++idle, left(outgoing));
      }
    }
  }

 private:
  template <class Parts>
  static bool left(const Parts& parts) {
    return !parts[0].empty() || !parts[1].empty();
  }

  bool send(std::array<std::span<const std::byte>, 2>& parts) const {
    auto& part = parts[0].empty() ? parts[1] : parts[0];
    const std::size_t sent = socket_.send_some(part);
    part = part.subspan(sent);
    return sent > 0;
  }

  bool receive(std::array<std::span<std::byte>, 2>& parts) const {
    auto& part = parts[0].empty() ? parts[1] : parts[0];
    const std::size_t received = socket_.receive_some(part);
    part = part.subspan(received);
    return received > 0;
  }

  void rest(int idle, bool sending) const {
    if (idle < kLooksBeforeSleep) return;
    pollfd poll{.fd = socket_.descriptor(),
                .events = static_cast<short>(sending ? POLLIN | POLLOUT : POLLIN),
                .revents = 0};
    (void)::poll(&poll, 1, kSleepMilliseconds);
    call_.look();
  }

  void check(const Header& theirs, const Header& mine) const {
    if (theirs.number == mine.number && theirs.bytes == mine.bytes && theirs.kind == mine.kind &&
        theirs.total == mine.total && theirs.operation == mine.operation) {
      return;
    }
    std::array<char, 41> operation{};
    std::copy(theirs.operation.begin(), theirs.operation.end(), operation.begin());
    throw TransportError(
        fmt::format("ranks are out of step: here it is call {} ({}, {} values), on rank {} call {} "
                    "({}, {} values)",
                    mine.number, call_.operation, mine.total, peer_, theirs.number,
                    operation.data(), theirs.total));
  }

  const Socket& socket_;
  std::int64_t peer_;
  const TransportCall& call_;
};

class TcpTransport : public Transport {
 public:
  TcpTransport(RankInfo me, std::map<std::int64_t, Socket> neighbours)
      : me_(me),
        corners_(static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(me.size)))),
        neighbours_(std::move(neighbours)) {}

  void all_reduce(std::span<std::int64_t> values, Reduction reduction,
                  const TransportCall& call) override {
    Step step{*this, call, kind_of(reduction), values.size()};
    const auto bytes = std::as_writable_bytes(values);
    if (beyond()) {
      step.send(me_.rank - corners_, bytes);
      step.receive(me_.rank - corners_, bytes);
      return;
    }
    incoming_.resize(values.size());
    const std::span<std::int64_t> incoming(incoming_);
    if (has_ward()) {
      step.receive(me_.rank + corners_, std::as_writable_bytes(incoming));
      reduce(values, incoming, reduction);
    }
    if (values.size() <= kFewNumbers) {
      double_up(values, incoming, reduction, step);
    } else {
      halve_and_double(values, incoming, reduction, step);
    }
    if (has_ward()) step.send(me_.rank + corners_, bytes);
  }

  // Along each axis twice as much: before axis a, a corner has what the a corners beside it and the
  // ranks beyond them brought.
  void all_gather(std::span<const std::int64_t> mine, std::span<const std::size_t> sizes,
                  std::span<std::int64_t> all, const TransportCall& call) override {
    const Step step{*this, call, Kind::kGather, all.size()};
    place_.assign(1, 0);
    for (const std::size_t size : sizes) place_.push_back(place_.back() + size);
    if (beyond()) {
      step.send(me_.rank - corners_, std::as_bytes(mine));
      step.receive(me_.rank - corners_, std::as_writable_bytes(all));
      return;
    }
    const std::span<std::int64_t> own = brought(all, me_.rank, me_.rank + 1);
    std::copy(mine.begin(), mine.end(), own.begin());
    if (has_ward()) {
      const std::int64_t ward = me_.rank + corners_;
      step.receive(ward, std::as_writable_bytes(brought(all, ward, ward + 1)));
    }
    for (std::int64_t axis = 1; axis < corners_; axis *= 2) {
      const std::int64_t with = me_.rank ^ axis;
      const std::int64_t here = me_.rank & ~(axis - 1);
      const std::int64_t there = with & ~(axis - 1);
      for (const std::int64_t shift : {std::int64_t{0}, corners_}) {
        step.trade(with, std::as_bytes(brought(all, here + shift, here + shift + axis)),
                   std::as_writable_bytes(brought(all, there + shift, there + shift + axis)));
      }
    }
    if (has_ward()) step.send(me_.rank + corners_, std::as_bytes(all));
  }

  // Along a tree of the axes that begins at the root.
  void broadcast(std::span<std::byte> bytes, std::int64_t root,
                 const TransportCall& call) override {
    Step step{*this, call, Kind::kBroadcast, bytes.size()};
    const bool root_is_beyond = root >= corners_;
    if (beyond()) {
      const std::int64_t guardian = me_.rank - corners_;
      if (root == me_.rank) {
        step.send(guardian, bytes);
      } else {
        step.receive(guardian, bytes);
      }
      return;
    }
    const std::int64_t source = root_is_beyond ? root - corners_ : root;
    if (root_is_beyond && me_.rank == source) step.receive(root, bytes);
    const std::int64_t place = me_.rank ^ source;  // 0: the source
    for (std::int64_t axis = 1; axis < corners_; axis *= 2) {
      if (place < axis) step.send(me_.rank ^ axis, bytes);
      if (place >= axis && place < 2 * axis) step.receive(me_.rank ^ axis, bytes);
    }
    if (has_ward() && me_.rank + corners_ != root) step.send(me_.rank + corners_, bytes);
  }

  void barrier(const TransportCall& call) override {
    std::int64_t nothing = 0;
    all_reduce({&nothing, 1}, Reduction::kSum, call);
  }

 private:
  // Messages of one call.
  struct Step {
    const TcpTransport& transport;
    const TransportCall& call;
    Kind kind;
    std::size_t total;

    void send(std::int64_t to, std::span<const std::byte> bytes) const {
      run(to, bytes, {}, true, false);
    }
    void receive(std::int64_t from, std::span<std::byte> bytes) const {
      run(from, {}, bytes, false, true);
    }
    void trade(std::int64_t with, std::span<const std::byte> out, std::span<std::byte> in) const {
      run(with, out, in, true, true);
    }

   private:
    void run(std::int64_t with, std::span<const std::byte> out, std::span<std::byte> in, bool sends,
             bool receives) const {
      try {
        Exchange(transport.neighbours_.at(with), with, call)
            .run(kind, total, out, in, sends, receives);
      } catch (const SocketError& error) {
        throw TransportError(
            fmt::format("the connection to rank {} broke: {}", with, error.what()));
      }
    }
  };

  // Where in `all` the numbers of ranks [begin, end) are.
  std::span<std::int64_t> brought(std::span<std::int64_t> all, std::int64_t begin,
                                  std::int64_t end) const {
    const std::size_t first = place_[static_cast<std::size_t>(std::min(begin, me_.size))];
    const std::size_t last = place_[static_cast<std::size_t>(std::min(end, me_.size))];
    return all.subspan(first, last - first);
  }

  bool beyond() const { return me_.rank >= corners_; }
  bool has_ward() const { return me_.rank + corners_ < me_.size; }

  void double_up(std::span<std::int64_t> values, std::span<std::int64_t> incoming,
                 Reduction reduction, const Step& step) const {
    for (std::int64_t axis = 1; axis < corners_; axis *= 2) {
      step.trade(me_.rank ^ axis, std::as_bytes(values), std::as_writable_bytes(incoming));
      reduce(values, incoming, reduction);
    }
  }

  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t size() const { return end - begin; }
  };

  void halve_and_double(std::span<std::int64_t> values, std::span<std::int64_t> incoming,
                        Reduction reduction, const Step& step) {
    std::vector<Part> given;  // to the neighbour of each axis, the widest axis first
    std::vector<Part> kept;
    Part mine{0, values.size()};
    for (std::int64_t axis = corners_ / 2; axis > 0; axis /= 2) {
      const std::size_t middle = mine.begin + mine.size() / 2;
      const Part low{mine.begin, middle};
      const Part high{middle, mine.end};
      const bool keep_low = (me_.rank & axis) == 0;
      mine = keep_low ? low : high;
      const Part theirs = keep_low ? high : low;
      step.trade(me_.rank ^ axis, std::as_bytes(values.subspan(theirs.begin, theirs.size())),
                 std::as_writable_bytes(incoming.subspan(0, mine.size())));
      reduce(values.subspan(mine.begin, mine.size()), incoming.subspan(0, mine.size()), reduction);
      given.push_back(theirs);
      kept.push_back(mine);
    }
    for (std::int64_t axis = 1; axis < corners_; axis *= 2) {
      step.trade(me_.rank ^ axis,
                 std::as_bytes(values.subspan(kept.back().begin, kept.back().size())),
                 std::as_writable_bytes(values.subspan(given.back().begin, given.back().size())));
      given.pop_back();
      kept.pop_back();
    }
  }

  RankInfo me_;
  std::int64_t corners_;  // P
  std::map<std::int64_t, Socket> neighbours_;
  std::vector<std::int64_t> incoming_;
  std::vector<std::size_t> place_;  // [size + 1], of a gathering: where each rank's numbers begin
};

}  // namespace

void reduce(std::span<std::int64_t> total, std::span<const std::int64_t> values,
            Reduction reduction) {
  switch (reduction) {
    case Reduction::kSum:
      for (std::size_t i = 0; i < total.size(); ++i) total[i] += values[i];
      return;
    case Reduction::kMin:
      for (std::size_t i = 0; i < total.size(); ++i) total[i] = std::min(total[i], values[i]);
      return;
    case Reduction::kMax:
      for (std::size_t i = 0; i < total.size(); ++i) total[i] = std::max(total[i], values[i]);
      return;
  }
}

std::unique_ptr<Transport> make_tcp_transport(const Listener& listener, RankInfo me,
                                              const std::vector<Member>& members,
                                              const std::string& token, double timeout_s,
                                              const std::function<void()>& look) {
  return std::make_unique<TcpTransport>(
      me, connect_neighbours(listener, me, members, token, timeout_s, look));
}

}  // namespace ossau
