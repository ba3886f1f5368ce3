#include "comm/process/rendezvous.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "comm/process/handshake.hpp"
#include "comm/process/verdict.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

// Time for a stranger to say who it is.
constexpr double kGuestSeconds = 10;
constexpr double kRetrySeconds = 0.1;
constexpr double kAttemptSeconds = 3;
// Others wait longer than rank 0, which knows who is missing.
constexpr double kExtraSeconds = 5;
constexpr double kSayingSeconds = 5;
// For ranks that are on their way when all is over.
constexpr double kFarewellSeconds = 3;
constexpr std::size_t kMostGuests = 4096;
constexpr int kMostWarnings = 5;

const char* const kRefusal = "refusal";
const char* const kCode = "code";
const char* const kMembers = "members";

// Somebody who has connected and not said yet which rank it is.
struct Guest {
  explicit Guest(Socket socket) : stream(std::move(socket)), deadline(kGuestSeconds) {}

  FrameStream stream;
  Deadline deadline;
  GuestHandshake handshake;
  bool known = false;
};

class Reception {
 public:
  Reception(const Listener& listener, const Member& me, const std::string& token, double timeout_s)
      : listener_(listener), me_(me), token_(token), deadline_(timeout_s) {
    members_.resize(static_cast<std::size_t>(me.rank.size));
    for (std::int64_t i = 0; i < me.rank.size; ++i) peers_.emplace_back(Socket());
    members_[0] = me;
  }

  Circle welcome() {
    while (came_ < me_.rank.size) {
      if (deadline_.passed()) refuse(missing(), ExitCode::kCommunication, 0);
      wait();
      admit();
      for (auto& guest : guests_) attend(guest);
      std::erase(guests_, nullptr);
      notice_losses();
    }
    std::vector<Member> members;
    for (std::optional<Member>& member : members_) members.push_back(std::move(*member));
    const std::string contradiction = differences(members);
    if (!contradiction.empty()) {
      refuse(fmt::format("ranks disagree: {} (start all of them with the same program, "
                         "configuration and overrides)",
                         contradiction),
             ExitCode::kConfig);
    }
    find_neighbours(members);
    tell(members);
    return {std::move(members), std::move(peers_)};
  }

 private:
  void wait() const {
    std::vector<int> descriptors = {listener_.descriptor()};
    for (const auto& guest : guests_) descriptors.push_back(guest->stream.socket().descriptor());
    wait_for(descriptors, {}, std::min(deadline_.left_s(), kRetrySeconds));
  }

  void admit() {
    while (guests_.size() < kMostGuests) {
      std::optional<Socket> socket = listener_.accept();
      if (!socket) return;
      guests_.push_back(std::make_unique<Guest>(std::move(*socket)));
    }
  }

  void attend(std::unique_ptr<Guest>& guest) {
    try {
      if (!guest->known) guest->known = guest->handshake.advance(guest->stream.socket(), token_);
      if (guest->known) {
        if (const auto message = guest->stream.receive()) {
          Member member = member_from_json(*message);
          seat(std::move(member), std::move(guest));
          return;
        }
      }
      if (guest->deadline.passed()) throw SocketError("it says nothing");
    } catch (const SocketError& error) {
      turn_away(*guest, error.what());
      guest.reset();
    } catch (const nlohmann::json::exception&) {
      turn_away(*guest, "it speaks as another version of Ossau does");
      guest.reset();
    }
  }

  void turn_away(const Guest& guest, const std::string& reason) {
    if (++turned_away_ > kMostWarnings) return;
    log_warning(
        fmt::format("a connection from {} to the meeting point of the ranks was refused: "
                    "{}{}",
                    guest.stream.socket().peer_host(), reason,
                    turned_away_ == kMostWarnings ? " (further ones are not told)" : ""));
  }

  void seat(Member member, std::unique_ptr<Guest> guest) {
    const RankInfo rank = member.rank;
    if (rank.size != me_.rank.size || rank.rank <= 0 || rank.rank >= rank.size) {
      const std::string text = fmt::format(
          "{} says it is one of {}, but rank 0 ({}) was told of {} ranks (give every rank the same "
          "number of ranks, and each its own number from 0)",
          name_of(member), rank.size, me_.host, me_.rank.size);
      later_.push_back(std::move(guest->stream));
      refuse(text, ExitCode::kCommunication);
    }
    std::optional<Member>& place = members_[static_cast<std::size_t>(rank.rank)];
    if (place) {
      later_.push_back(std::move(guest->stream));
      refuse(fmt::format("two processes say that they are rank {}: process {} on {} and process {} "
                         "on {} (give each its own number)",
                         rank.rank, place->process, place->host, member.process, member.host),
             ExitCode::kCommunication);
    }
    // Rank 0 that waits at all of its addresses learns here by which one it is reached.
    Endpoint& own = members_[0]->data;
    if (own.host == "0.0.0.0" || own.host == "::") {
      own.host = guest->stream.socket().local_host();
    }
    place = std::move(member);
    peers_[static_cast<std::size_t>(rank.rank)] = std::move(guest->stream);
    ++came_;
  }

  void notice_losses() {
    for (std::size_t i = 1; i < peers_.size(); ++i) {
      if (!peers_[i].socket().is_open()) continue;
      try {
        (void)peers_[i].receive();
      } catch (const SocketError& error) {
        peers_[i].socket().close();
        refuse(fmt::format("start: {} was lost while others were waited for: {}",
                           name_of(*members_[i]), error.what()),
               ExitCode::kCommunication);
      }
    }
  }

  std::string missing() const {
    std::vector<std::int64_t> ranks;
    std::string came;
    for (std::int64_t i = 0; i < me_.rank.size; ++i) {
      const std::optional<Member>& member = members_[static_cast<std::size_t>(i)];
      if (!member) {
        ranks.push_back(i);
      } else if (came.size() < 200) {
        came += fmt::format("{}{}", came.empty() ? "" : ", ", name_of(*member));
      }
    }
    return fmt::format(
        "start: {} did not come within {:g} s; those that came: {} (see whether the others were "
        "started and can reach port {} of {}; if they are only late, raise "
        "communication.timeout_s)",
        listed_ranks(ranks), deadline_.seconds(), came, listener_.port(), me_.host);
  }

  // The others are told, for farewell_s those too that have not said yet who they are.
  [[noreturn]] void refuse(const std::string& text, ExitCode code,
                           double farewell_s = kFarewellSeconds) {
    const nlohmann::json refusal = {{kRefusal, text}, {kCode, static_cast<int>(code)}};
    std::int64_t told = 1;
    for (FrameStream& peer : peers_) later_.push_back(std::move(peer));
    for (FrameStream& stream : later_) told += turn_down(stream, refusal) ? 1 : 0;
    std::erase(guests_, nullptr);
    const Deadline farewell(farewell_s);
    while (told < me_.rank.size && !farewell.passed()) {
      wait();
      admit();
      for (auto& guest : guests_) told += turn_down(guest, refusal) ? 1 : 0;
      std::erase(guests_, nullptr);
    }
    throw CommError(text, code);
  }

  static bool turn_down(FrameStream& stream, const nlohmann::json& refusal) {
    if (!stream.socket().is_open()) return false;
    try {
      stream.send(refusal);
      stream.socket().end_sending();
      return true;
    } catch (const SocketError&) {
      return false;  // it will miss rank 0 soon enough
    }
  }

  // Who has said all it has to say hears the answer; a connection that is closed earlier takes it
  // back.
  bool turn_down(std::unique_ptr<Guest>& guest, const nlohmann::json& refusal) {
    if (guest == nullptr) return false;
    try {
      if (!guest->known) guest->known = guest->handshake.advance(guest->stream.socket(), token_);
      if (!guest->known || !guest->stream.receive()) return false;
    } catch (const SocketError&) {
      guest.reset();
      return false;
    }
    later_.push_back(std::move(guest->stream));
    guest.reset();
    return turn_down(later_.back(), refusal);
  }

  void tell(const std::vector<Member>& members) {
    nlohmann::json all = nlohmann::json::array();
    for (const Member& member : members) {
      all.push_back(to_json(member));
      // Used already; of thousands of ranks they would be megabytes.
      all.back()["facts"] = nlohmann::json::object();
      all.back()["processors"] = nlohmann::json::array();
    }
    for (std::size_t i = 1; i < peers_.size(); ++i) {
      try {
        peers_[i].send({{kMembers, all}});
        const Deadline deadline(kSayingSeconds);
        while (peers_[i].has_unsent()) {
          if (deadline.passed()) throw SocketError("no answer");
          const std::array<int, 1> writable = {peers_[i].socket().descriptor()};
          wait_for({}, writable, kRetrySeconds);
          peers_[i].flush();
        }
      } catch (const SocketError& error) {
        refuse(fmt::format("start: {} was lost: {}", name_of(members[i]), error.what()),
               ExitCode::kCommunication);
      }
    }
  }

  const Listener& listener_;
  const Member& me_;
  const std::string& token_;
  Deadline deadline_;
  std::vector<std::optional<Member>> members_;  // [size]
  std::vector<FrameStream> peers_;              // [size]
  std::vector<FrameStream> later_;              // to be told why all is over
  std::vector<std::unique_ptr<Guest>> guests_;
  std::int64_t came_ = 1;
  int turned_away_ = 0;
};

std::string listed(const std::vector<Endpoint>& endpoints) {
  std::string text;
  for (const Endpoint& endpoint : endpoints) {
    text += (text.empty() ? "" : " or ") + to_string(endpoint);
  }
  return text;
}

// Rank 0 may start later, and names may be known later still.
Socket reach(const std::vector<Endpoint>& candidates, std::int64_t rank, const std::string& token,
             const Deadline& deadline) {
  std::string reason;
  bool met = false;  // what somebody who listens there says tells more than that nobody does
  for (std::size_t attempt = 0;; ++attempt) {
    const Endpoint& candidate = candidates[attempt % candidates.size()];
    const Deadline soon(std::min(kAttemptSeconds, deadline.left_s()));
    bool connected = false;
    try {
      Socket socket = connect_to(candidate, soon);
      connected = true;
      prove_to_server(socket, token, Deadline(std::min(kGuestSeconds, deadline.left_s())));
      return socket;
    } catch (const SocketError& error) {
      if (connected || !met) reason = error.what();
      met = met || connected;
    }
    if (deadline.passed()) break;
    if (attempt % candidates.size() + 1 == candidates.size()) {
      std::this_thread::sleep_for(std::chrono::duration<double>(kRetrySeconds));
    }
  }
  throw CommError(fmt::format(
      "start: rank {} ({}) did not reach rank 0 at {} within {:g} s: {} (see whether rank 0 runs "
      "there, with the same job token, and lets connections in)",
      rank, host_name(), listed(candidates), deadline.seconds(), reason));
}

}  // namespace

Circle await_members(const Listener& listener, const Member& me, const std::string& token,
                     double timeout_s) {
  return Reception(listener, me, token, timeout_s).welcome();
}

Circle join_members(const std::vector<Endpoint>& candidates, Member me, const std::string& token,
                    double timeout_s,
                    const std::function<Endpoint(const std::string& host)>& listen) {
  const Deadline deadline(timeout_s);
  FrameStream stream(reach(candidates, me.rank.rank, token, deadline));
  me.data = listen(stream.socket().local_host());
  Circle circle;
  std::optional<Verdict> refusal;
  try {
    stream.send(to_json(me));
    const nlohmann::json answer = stream.receive(Deadline(timeout_s + kExtraSeconds));
    if (!answer.contains(kRefusal)) {
      for (const nlohmann::json& member : answer.at(kMembers)) {
        circle.members.push_back(member_from_json(member));
      }
    } else {
      refusal = Verdict{answer.at(kRefusal), to_exit_code(answer.value(kCode, 0))};
    }
  } catch (const SocketError& error) {
    throw CommError(fmt::format("start: {} lost rank 0: {} (its own message says why)", name_of(me),
                                error.what()));
  } catch (const nlohmann::json::exception&) {
    throw CommError(
        fmt::format("start: {} does not understand rank 0 (start the same version of "
                    "Ossau everywhere)",
                    name_of(me)));
  }
  if (refusal) throw CommError(refusal->text, refusal->code);
  if (std::ssize(circle.members) != me.rank.size) {
    throw CommError(fmt::format("start: rank 0 told {} of {} ranks, not of {}", name_of(me),
                                circle.members.size(), me.rank.size));
  }
  circle.peers.push_back(std::move(stream));
  return circle;
}

}  // namespace ossau
