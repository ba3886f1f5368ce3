#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/process/rendezvous.hpp"
#include "comm/process/verdict.hpp"

namespace ossau {

/// What a rank does at the moment, as the others are told.
struct Activity {
  Position position;
  std::string phase = "start-up";  // the position's, owned
  std::int64_t calls = 0;          // collective calls begun
  std::string operation;           // of the one that it is in; empty: in none
};

/// A rank that has not looked around for so long was stopped by the system, or all of them were.
inline double pause_s(double timeout_s) { return timeout_s / 4; }

struct MonitorSettings {
  double timeout_s = 0;
  /// Ends the process: called where the job is over and this rank does not come to see it.
  std::function<void(const Verdict&)> end_process;
};

/// Watches over the ranks of a job from a thread of its own.  Every rank tells rank 0 several times
/// in its timeout that it lives and where it is, and rank 0 answers.  Who is lost, silent or has
/// given up is so known to all within the timeout, whatever they are doing; of ranks that merely
/// wait for each other, rank 0 knows which one the others wait for.
class Monitor {
 public:
  Monitor(Circle circle, RankInfo me, MonitorSettings settings);
  /// Says goodbye.  Every rank must have got as far, or the job must be over.
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  const std::vector<Member>& members() const { return members_; }

  void set_position(Position position);
  /// A collective call begins, and ends.
  void begin(std::string_view operation);
  void end();
  /// From now on this rank does nothing but leave, for which it has its timeout.
  void expect_end();

  bool over() const { return over_.load(std::memory_order_acquire); }
  std::optional<Verdict> verdict() const;

  /// This rank gives up: the job is over.
  void give_up(const std::string& reason, ExitCode code);

  /// This rank has waited for its timeout: returns who is to blame, as far as can be known within a
  /// moment.  The job is over.
  Verdict blame(std::string_view operation);
  /// The same where the connection to others broke in a call: another rank's end may be the cause.
  Verdict explain(const std::string& failure);

  std::string last_seen() const;

 private:
  struct Peer {
    explicit Peer(FrameStream connection) : stream(std::move(connection)) {}
    FrameStream stream;
    Activity activity;
    Stopwatch last_word;
    bool said_goodbye = false;
  };

  bool is_hub() const { return me_.rank == 0; }
  std::size_t rank_of(const Peer& peer) const;
  void run();
  std::vector<int> wait_for_news();
  void wake();
  void listen(std::vector<int> ready);
  void take(Peer& peer, const nlohmann::json& message);
  void lose(Peer& peer, const std::string& reason);
  void forgive_pause(double away_s);
  void notice_silence();
  void beat();
  void decide(Verdict verdict);
  void judge_late(std::size_t complainer, const std::string& operation);
  void announce();
  void send(Peer& peer, const nlohmann::json& message);
  void end_process_if_stuck();
  void say_goodbye();
  Verdict wait_for_verdict(const Verdict& otherwise);
  std::string whereabouts(std::size_t rank) const;

  std::vector<Member> members_;
  RankInfo me_;
  MonitorSettings settings_;

  mutable std::mutex mutex_;  // of all below but where said
  std::condition_variable changed_;
  std::vector<Peer> peers_;  // rank 0: of ranks 1, 2, ...; others: rank 0
  Activity mine_;
  std::optional<Verdict> verdict_;
  std::optional<Stopwatch> verdict_age_;
  bool announced_ = false;
  std::optional<Stopwatch> last_beat_;
  std::optional<Stopwatch> ending_;
  bool phase_is_told_ = true;
  bool leaving_ = false;
  std::atomic<bool> over_ = false;
  FileDescriptor wake_;
  std::thread thread_;
};

}  // namespace ossau
