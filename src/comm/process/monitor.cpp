#include "comm/process/monitor.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace ossau {
namespace {

constexpr double kLongestBeat = 1;  // seconds
constexpr double kBeatsInTimeout = 10;
constexpr double kShortestBeat = 0.02;  // of ranks that enter another phase
// A silent rank must be named before those that wait for it lose patience themselves.
constexpr double kSilentShare = 0.75;
constexpr double kLongestGrace = 10;
constexpr double kShortestGrace = 1;
constexpr double kGoodbyeSeconds = 2;

// The keys of a message.
const char* const kPhase = "phase";
const char* const kEpoch = "epoch";
const char* const kStep = "step";
const char* const kCalls = "calls";
const char* const kOperation = "operation";
const char* const kLate = "late";
const char* const kGaveUp = "gave_up";
const char* const kVerdict = "verdict";
const char* const kCode = "code";
const char* const kGoodbye = "goodbye";

double beat_s(double timeout_s) { return std::min(kLongestBeat, timeout_s / kBeatsInTimeout); }

// For a rank to notice that the job is over, and to leave.
double grace_s(double timeout_s) {
  return std::clamp(timeout_s / kBeatsInTimeout, kShortestGrace, kLongestGrace);
}

nlohmann::json to_json(const Activity& activity) {
  return {{kPhase, activity.phase},
          {kEpoch, activity.position.epoch},
          {kStep, activity.position.step},
          {kCalls, activity.calls},
          {kOperation, activity.operation}};
}

void read_activity(const nlohmann::json& message, Activity& activity) {
  activity.phase = message.at(kPhase).get<std::string>();
  activity.position.epoch = message.at(kEpoch);
  activity.position.step = message.at(kStep);
  activity.calls = message.at(kCalls);
  activity.operation = message.at(kOperation).get<std::string>();
}

std::string describe(const Activity& activity) {
  Position position = activity.position;
  position.phase = activity.phase.c_str();
  return ossau::describe(position);
}

std::string doing(const Activity& activity) {
  return activity.operation.empty()
             ? describe(activity)
             : fmt::format("{}, in {}", describe(activity), activity.operation);
}

}  // namespace

Monitor::Monitor(Circle circle, RankInfo me, MonitorSettings settings)
    : members_(std::move(circle.members)),
      me_(me),
      settings_(std::move(settings)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!wake_.is_open()) throw DeviceError("the system has no event descriptors left");
  const std::size_t skipped = is_hub() ? 1 : 0;  // itself
  for (std::size_t i = skipped; i < circle.peers.size(); ++i) {
    peers_.emplace_back(std::move(circle.peers[i]));
  }
  thread_ = std::thread([this] { run(); });
}

Monitor::~Monitor() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  wake();
  thread_.join();
}

void Monitor::set_position(Position position) {
  {
    const std::lock_guard lock(mutex_);
    mine_.position = position;
    if (mine_.phase == position.phase) return;
    mine_.phase = position.phase;
    phase_is_told_ = false;
  }
  wake();
}

void Monitor::begin(std::string_view operation) {
  const std::lock_guard lock(mutex_);
  ++mine_.calls;
  mine_.operation = operation;
}

void Monitor::end() {
  const std::lock_guard lock(mutex_);
  mine_.operation.clear();
}

void Monitor::expect_end() {
  const std::lock_guard lock(mutex_);
  ending_.emplace();
}

std::optional<Verdict> Monitor::verdict() const {
  const std::lock_guard lock(mutex_);
  return verdict_;
}

void Monitor::give_up(const std::string& reason, ExitCode code) {
  {
    const std::lock_guard lock(mutex_);
    if (verdict_) return;
    decide(
        {fmt::format("{} gave up ({}): {}", name_of(members_[static_cast<std::size_t>(me_.rank)]),
                     describe(mine_), reason),
         code});
  }
  wake();
}

Verdict Monitor::blame(std::string_view operation) {
  const std::string failure = fmt::format(
      "{}: the others did not come within {:g} s; rank {} waited in {} (if they are only slow, "
      "raise communication.timeout_s)",
      operation, settings_.timeout_s, me_.rank, describe(mine_));
  {
    const std::lock_guard lock(mutex_);
    if (verdict_) return *verdict_;
    if (is_hub()) {
      judge_late(0, std::string(operation));
    } else {
      send(peers_[0], {{kLate, operation}});
    }
  }
  wake();
  return wait_for_verdict({failure, ExitCode::kCommunication});
}

Verdict Monitor::explain(const std::string& failure) {
  return wait_for_verdict(
      {fmt::format("{} gave up ({}): {}", name_of(members_[static_cast<std::size_t>(me_.rank)]),
                   describe(mine_), failure),
       ExitCode::kCommunication});
}

Verdict Monitor::wait_for_verdict(const Verdict& otherwise) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::duration<double>(grace_s(settings_.timeout_s)),
                    [&] { return verdict_.has_value(); });
  if (!verdict_) decide(otherwise);
  Verdict verdict = *verdict_;
  lock.unlock();
  wake();
  return verdict;
}

std::string Monitor::last_seen() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const Peer& peer : peers_) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", whereabouts(rank_of(peer)));
  }
  return text;
}

std::size_t Monitor::rank_of(const Peer& peer) const {
  return is_hub() ? static_cast<std::size_t>(&peer - peers_.data()) + 1 : 0;
}

std::string Monitor::whereabouts(std::size_t rank) const {
  const Peer& peer = peers_[is_hub() ? rank - 1 : 0];
  return fmt::format("{} in {}", name_of(members_[rank]), doing(peer.activity));
}

void Monitor::run() {
  std::unique_lock lock(mutex_);
  while (!leaving_) {
    lock.unlock();
    const Stopwatch away;
    std::vector<int> ready = wait_for_news();
    lock.lock();
    forgive_pause(away.seconds());
    listen(std::move(ready));
    notice_silence();
    beat();
    announce();
    end_process_if_stuck();
  }
  say_goodbye();
}

void Monitor::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

std::vector<int> Monitor::wait_for_news() {
  std::vector<int> readable = {wake_.get()};
  std::vector<int> writable;
  double longest_s = beat_s(settings_.timeout_s) / 2;
  {
    const std::lock_guard lock(mutex_);
    if (!phase_is_told_) longest_s = kShortestBeat;
    for (const Peer& peer : peers_) {
      if (!peer.stream.socket().is_open()) continue;
      readable.push_back(peer.stream.socket().descriptor());
      if (peer.stream.has_unsent()) writable.push_back(peer.stream.socket().descriptor());
    }
  }
  std::vector<int> ready = wait_for(readable, writable, longest_s);
  std::uint64_t ignored = 0;
  (void)!::read(wake_.get(), &ignored, sizeof ignored);
  return ready;
}

// Of thousands of ranks only few have said something since the last time.
void Monitor::listen(std::vector<int> ready) {
  std::sort(ready.begin(), ready.end());
  for (Peer& peer : peers_) {
    const int descriptor = peer.stream.socket().descriptor();
    if (!std::binary_search(ready.begin(), ready.end(), descriptor)) continue;
    try {
      peer.stream.flush();
      while (const auto message = peer.stream.receive()) take(peer, *message);
    } catch (const SocketError& error) {
      lose(peer, error.what());
    } catch (const nlohmann::json::exception&) {
      lose(peer, "it sent something that makes no sense");
    }
  }
}

void Monitor::take(Peer& peer, const nlohmann::json& message) {
  peer.last_word = Stopwatch();
  const std::size_t rank = rank_of(peer);
  if (message.contains(kPhase)) read_activity(message, peer.activity);
  if (message.contains(kGoodbye)) peer.said_goodbye = true;
  if (message.contains(kVerdict)) {
    decide({message.at(kVerdict), to_exit_code(message.value(kCode, 0))});
  }
  if (message.contains(kGaveUp)) {
    decide({message.at(kGaveUp), to_exit_code(message.value(kCode, 0))});
  }
  if (message.contains(kLate)) judge_late(rank, message.at(kLate));
}

// A rank that closed its connection without a word has ended without one.
void Monitor::lose(Peer& peer, const std::string& reason) {
  peer.stream.socket().close();
  if (peer.said_goodbye || verdict_) return;
  decide({fmt::format("{} was lost: {} (last heard of {:.1f} s ago in {})",
                      name_of(members_[rank_of(peer)]), reason, peer.last_word.seconds(),
                      doing(peer.activity)),
          ExitCode::kCommunication});
}

// After a pause of this process, as where a whole job is suspended, nobody has been silent but it.
void Monitor::forgive_pause(double away_s) {
  if (away_s < pause_s(settings_.timeout_s)) return;
  for (Peer& peer : peers_) peer.last_word = Stopwatch();
}

void Monitor::notice_silence() {
  if (verdict_) return;
  const double longest_s = kSilentShare * settings_.timeout_s;
  for (const Peer& peer : peers_) {
    if (peer.said_goodbye || peer.last_word.seconds() <= longest_s) continue;
    decide({fmt::format("{} has been silent for {:.1f} s: it is stalled, or its network is cut "
                        "(last heard of in {}; communication.timeout_s is {:g})",
                        name_of(members_[rank_of(peer)]), peer.last_word.seconds(),
                        doing(peer.activity), settings_.timeout_s),
            ExitCode::kCommunication});
    return;
  }
}

void Monitor::beat() {
  const double pause_s = phase_is_told_ ? beat_s(settings_.timeout_s) : kShortestBeat;
  if (last_beat_ && last_beat_->seconds() < pause_s) return;
  last_beat_ = Stopwatch();
  phase_is_told_ = true;
  const nlohmann::json message = to_json(mine_);
  for (Peer& peer : peers_) {
    // Behind what a stalled rank has not read yet there is no use for more.
    if (!peer.stream.has_unsent()) send(peer, message);
  }
}

void Monitor::send(Peer& peer, const nlohmann::json& message) {
  if (!peer.stream.socket().is_open()) return;
  try {
    peer.stream.send(message);
  } catch (const SocketError& error) {
    lose(peer, error.what());
  }
}

// The first verdict stands: what comes after it is a consequence.
void Monitor::decide(Verdict verdict) {
  if (verdict_) return;
  verdict_ = std::move(verdict);
  verdict_age_ = Stopwatch();
  over_.store(true, std::memory_order_release);
  changed_.notify_all();
}

// Rank 0 knows how many calls each rank has begun: those that are behind are waited for.
void Monitor::judge_late(std::size_t complainer, const std::string& operation) {
  if (verdict_) return;
  const auto calls_of = [&](std::size_t rank) {
    return rank == 0 ? mine_.calls : peers_[rank - 1].activity.calls;
  };
  std::string late;
  for (std::size_t rank = 0; rank < members_.size(); ++rank) {
    if (calls_of(rank) >= calls_of(complainer)) continue;
    const std::string where =
        rank == 0 ? fmt::format("{} in {}", name_of(members_[0]), doing(mine_)) : whereabouts(rank);
    late += (late.empty() ? "" : ", ") + where;
  }
  const std::string who =
      late.empty() ? "every rank is there, but nothing moves between them (see what their network "
                     "lets through, and communication.interface)"
                   : fmt::format(
                         "still missing: {} (alive; if it is only slow, raise "
                         "communication.timeout_s)",
                         late);
  decide({fmt::format("{}: {} waited {:g} s; {}", operation, name_of(members_[complainer]),
                      settings_.timeout_s, who),
          ExitCode::kCommunication});
}

void Monitor::announce() {
  if (!verdict_ || announced_) return;
  announced_ = true;
  for (Peer& peer : peers_) {
    send(peer, {{is_hub() ? kVerdict : kGaveUp, verdict_->text},
                {kCode, static_cast<int>(verdict_->code)}});
  }
}

void Monitor::end_process_if_stuck() {
  if (ending_ && ending_->seconds() > settings_.timeout_s) {
    ending_.emplace();
    if (settings_.end_process) {
      settings_.end_process({"the other ranks did not end", ExitCode::kCommunication});
    }
  }
  if (!verdict_age_ || verdict_age_->seconds() < 2 * grace_s(settings_.timeout_s)) return;
  verdict_age_ = Stopwatch();
  if (settings_.end_process) settings_.end_process(*verdict_);
}

// What is still on its way must arrive: a connection that is closed with unread messages takes
// back what it has sent.
void Monitor::say_goodbye() {
  announce();
  for (Peer& peer : peers_) {
    if (!verdict_) send(peer, {{kGoodbye, true}});
  }
  const Deadline deadline(kGoodbyeSeconds);
  const auto is_open = [](const Peer& peer) { return peer.stream.socket().is_open(); };
  std::vector<bool> ended(peers_.size(), false);
  while (!deadline.passed() && std::any_of(peers_.begin(), peers_.end(), is_open)) {
    std::vector<int> readable;
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (!is_open(peers_[i])) continue;
      if (!peers_[i].stream.has_unsent() && !ended[i]) {
        peers_[i].stream.socket().end_sending();
        ended[i] = true;
      }
      readable.push_back(peers_[i].stream.socket().descriptor());
    }
    listen(wait_for(readable, {}, std::min(deadline.left_s(), 0.05)));
  }
}

}  // namespace ossau
