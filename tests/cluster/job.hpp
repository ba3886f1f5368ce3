#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/machines.hpp"
#include "cluster/spawn.hpp"

namespace ossau::test {

enum class LaunchedBy {
  kNobody,       // one process that knows of no job
  kEnvironment,  // a process a rank, each told by RANK, WORLD_SIZE, MASTER_ADDR, ...
  kMpirun,
};

struct JobPlan {
  LaunchedBy launched_by = LaunchedBy::kEnvironment;
  std::size_t ranks = 1;
  std::vector<std::string> command;  // program and arguments, the same for all ranks
  /// Further arguments of single ranks, without blanks.
  std::map<std::size_t, std::string> more;
  /// Further variables of single ranks; kEnvironment only.
  std::map<std::size_t, std::map<std::string, std::string>> environment;
  /// Working directories of single ranks, below the job's; kEnvironment only.
  std::map<std::size_t, std::string> directories;
  std::set<std::size_t> late;          // started by start_rank(); kEnvironment only
  const Machines* machines = nullptr;  // where the ranks are, in equal parts; null: all are here
};

struct RankEnd {
  std::optional<int> exit_code;  // 128 + the signal's number where one ended it; mpirun tells none
  std::string out;
  std::string err;
};

struct JobEnd {
  bool in_time = false;
  int exit_code = -1;  // mpirun's; else the largest of the ranks'
  double seconds = 0;  // since the fault where faulty_rank did one, else since the start
  std::vector<RankEnd> ranks;
  std::string launcher_err;  // mpirun's own words
};

/// The processes of one training.  Whatever is left of them ends with this object.
class Job {
 public:
  /// folder: the working directory; output goes to files there.
  Job(std::filesystem::path folder, JobPlan plan);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void start_rank(std::size_t rank);
  /// Throws where the rank has not started within a few seconds.
  void signal(std::size_t rank, int number) const;

  /// Waits until the process of every rank but `others` has ended, but no longer than limit_s.
  JobEnd wait(double limit_s, const std::set<std::size_t>& others = {});

  /// Waits until a condition holds; throws after limit_s.
  template <class Condition>
  static void await(const Condition& condition, const std::string& what, double limit_s = 30) {
    const auto start = std::chrono::steady_clock::now();
    while (!condition()) {
      if (std::chrono::steady_clock::now() - start > std::chrono::duration<double>(limit_s)) {
        throw_late(what);
      }
      sleep_a_little();
    }
  }

  /// What the rank has written to standard error so far.
  std::string err(std::size_t rank) const;
  std::string out(std::size_t rank) const;
  /// Whether faulty_rank has done its fault.
  bool fault_done() const;
  /// The test does one itself: JobEnd's seconds begin now.
  void note_fault() const;
  /// Where the ranks of the environment launcher meet.
  std::string master_address() const;
  static constexpr int kMasterPort = 29500;

  bool is_alive(std::size_t rank) const;
  /// Processes of this job that are alive, the launcher's included.
  std::vector<pid_t> alive() const;
  /// Those that are still there after a moment, in words; empty: none.
  std::string left_over() const;
  void kill_all();

 private:
  struct Process {
    pid_t id = -1;
    std::optional<int> exit_code;
  };

  [[noreturn]] static void throw_late(const std::string& what);
  static void sleep_a_little();
  std::size_t machine_of(std::size_t rank) const;
  std::filesystem::path file(std::size_t rank, const std::string& ending) const;
  std::map<std::string, std::string> variables(std::size_t rank) const;
  void start_mpirun();
  std::vector<std::string> mpirun_on_machines() const;
  std::string rank_script() const;
  Spawn program(const std::string& name, std::vector<std::string> words,
                std::map<std::string, std::string> variables, std::size_t machine) const;
  static void look_after(Process& process);
  double seconds_since_fault() const;
  std::optional<pid_t> process_of(std::size_t rank) const;

  std::filesystem::path folder_;
  JobPlan plan_;
  std::string mark_;  // the value of a variable that all processes of this job have
  std::string own_address_;
  std::map<std::size_t, Process> processes_;  // by rank; mpirun is number 0
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
};

}  // namespace ossau::test
