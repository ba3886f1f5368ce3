#include "cluster/job.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>

#include "cluster/spawn.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

constexpr const char* kMark = "OSSAU_TEST_JOB";
constexpr const char* kFaultFile = "fault";
constexpr const char* kNetwork = "10.77.0.0/24";  // of Machines
constexpr double kLeavingSeconds = 5;
constexpr std::chrono::milliseconds kNap(5);

// Empty where there is none.
std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Each made once in a test process, so that jobs beside each other never meet: all of 127.0.0.0/8
// is this machine.
std::string unused_loopback_address() {
  static int made = 0;
  const int process = ::getpid();
  return "127." + std::to_string(1 + process / 256 % 254) + "." + std::to_string(process % 256) +
         "." + std::to_string(1 + made++ % 254);
}

// mpirun's stand-in for ssh: its argument is an address of one of our machines.
std::string agent_script(const Machines& machines) {
  std::string script = "#!/bin/bash\nwhile [[ $1 == -* ]]; do shift; done\naddress=$1; shift\n";
  script += "case $address in\n";
  for (std::size_t i = 0; i < machines.count(); ++i) {
    script += "  " + Machines::address(i) + ") space=" + machines.name_space(i) +
              " host=" + Machines::host(i) + " ;;\n";
  }
  return script +
         "esac\nexec ip netns exec $space unshare --uts /bin/bash -c \"hostname $host; $*\"\n";
}

}  // namespace

Job::Job(fs::path folder, JobPlan plan)
    : folder_(std::move(folder)), plan_(std::move(plan)), own_address_(unused_loopback_address()) {
  mark_ = folder_.filename().string() + "-" + own_address_ + "-";
  for (std::size_t rank = 0; rank < plan_.ranks; ++rank) {
    for (const char* const ending : {"out", "err", "pid"}) fs::remove(file(rank, ending));
  }
  fs::remove(folder_ / kFaultFile);
  if (plan_.launched_by == LaunchedBy::kMpirun) {
    start_mpirun();
    return;
  }
  for (std::size_t rank = 0; rank < plan_.ranks; ++rank) {
    if (!plan_.late.contains(rank)) start_rank(rank);
  }
}

Job::~Job() { kill_all(); }

void Job::throw_late(const std::string& what) {
  throw std::runtime_error("waited too long: " + what);
}

void Job::sleep_a_little() { std::this_thread::sleep_for(kNap); }

std::size_t Job::machine_of(std::size_t rank) const {
  return plan_.machines == nullptr ? 0 : rank * plan_.machines->count() / plan_.ranks;
}

fs::path Job::file(std::size_t rank, const std::string& ending) const {
  return folder_ / ("rank" + std::to_string(rank) + "." + ending);
}

std::string Job::err(std::size_t rank) const { return content(file(rank, "err")); }
std::string Job::out(std::size_t rank) const { return content(file(rank, "out")); }
bool Job::fault_done() const { return fs::exists(folder_ / kFaultFile); }

void Job::note_fault() const { std::ofstream(folder_ / kFaultFile) << "\n"; }

std::string Job::master_address() const {
  return plan_.machines == nullptr ? own_address_ : Machines::address(machine_of(0));
}

std::map<std::string, std::string> Job::variables(std::size_t rank) const {
  std::map<std::string, std::string> all = {
      {kMark, mark_}, {"OSSAU_TEST_FAULT_FILE", (folder_ / kFaultFile).string()}};
  if (plan_.launched_by != LaunchedBy::kEnvironment) return all;
  all["RANK"] = std::to_string(rank);
  all["WORLD_SIZE"] = std::to_string(plan_.ranks);
  all["MASTER_ADDR"] = master_address();
  all["MASTER_PORT"] = std::to_string(kMasterPort);
  all["OSSAU_JOB_TOKEN"] = "the secret of " + mark_;
  const auto own = plan_.environment.find(rank);
  if (own == plan_.environment.end()) return all;
  for (const auto& [name, value] : own->second) all[name] = value;
  return all;
}

Spawn Job::program(const std::string& name, std::vector<std::string> words,
                   std::map<std::string, std::string> variables, std::size_t machine) const {
  Spawn program{.words = std::move(words),
                .variables = std::move(variables),
                .directory = folder_,
                .out = folder_ / (name + ".out"),
                .err = folder_ / (name + ".err"),
                .name_space = {},
                .host = {}};
  if (plan_.machines == nullptr) return program;
  program.name_space = plan_.machines->name_space(machine);
  program.host = Machines::host(machine);
  return program;
}

void Job::start_rank(std::size_t rank) {
  std::vector<std::string> words = plan_.command;
  if (const auto more = plan_.more.find(rank); more != plan_.more.end()) {
    words.push_back(more->second);
  }
  Spawn one = program("rank" + std::to_string(rank), words, variables(rank), machine_of(rank));
  if (const auto own = plan_.directories.find(rank); own != plan_.directories.end()) {
    one.directory /= own->second;
  }
  processes_[rank].id = spawn(one);
}

std::vector<std::string> Job::mpirun_on_machines() const {
  std::ofstream(folder_ / "agent.sh") << agent_script(*plan_.machines);
  fs::permissions(folder_ / "agent.sh", fs::perms::owner_all);
  std::map<std::size_t, int> slots;
  for (std::size_t rank = 0; rank < plan_.ranks; ++rank) ++slots[machine_of(rank)];
  std::ofstream hosts(folder_ / "hosts");
  for (const auto& [machine, count] : slots) {
    hosts << Machines::address(machine) << " slots=" << count << "\n";
  }
  const std::map<std::string, std::string> settings = {
      {"plm", "rsh"},
      {"plm_rsh_agent", (folder_ / "agent.sh").string()},
      {"plm_rsh_no_tree_spawn", "1"},
      {"pml", "ob1"},
      {"btl", "tcp,self"},
      {"btl_tcp_if_include", kNetwork},
      {"oob_tcp_if_include", kNetwork},
  };
  std::vector<std::string> words = {"--hostfile", (folder_ / "hosts").string()};
  for (const auto& [name, value] : settings) {
    words.insert(words.end(), {"--mca", name, value});
  }
  return words;
}

// Every rank goes through a shell that sends its output to files of its own.
std::string Job::rank_script() const {
  std::string cases;
  for (const auto& [rank, more] : plan_.more) {
    cases += std::to_string(rank) + ") set -- \"$@\" '" + more + "' ;;\n";
  }
  return "cd '" + folder_.string() + R"('
own=rank$OMPI_COMM_WORLD_RANK
case $OMPI_COMM_WORLD_RANK in
)" + cases +
         R"(esac
echo $$ > $own.pid
exec "$0" "$@" > $own.out 2> $own.err
)";
}

void Job::start_mpirun() {
  std::vector<std::string> words = {
      "mpirun", "--oversubscribe",          "--mca", "mpi_yield_when_idle", "1",
      "-np",    std::to_string(plan_.ranks)};
  if (plan_.machines != nullptr) {
    const std::vector<std::string> more = mpirun_on_machines();
    words.insert(words.end(), more.begin(), more.end());
  }
  words.insert(words.end(), {"/bin/sh", "-c", rank_script()});
  words.insert(words.end(), plan_.command.begin(), plan_.command.end());
  std::map<std::string, std::string> all = variables(0);
  all["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
  all["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  processes_[0].id = spawn(program("mpirun", words, all, 0));
}

void Job::look_after(Process& process) {
  if (process.id < 0 || process.exit_code) return;
  int status = 0;
  if (::waitpid(process.id, &status, WNOHANG) != process.id) return;
  process.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

std::optional<pid_t> Job::process_of(std::size_t rank) const {
  if (plan_.launched_by != LaunchedBy::kMpirun) {
    const auto found = processes_.find(rank);
    if (found == processes_.end()) return std::nullopt;
    return found->second.id;
  }
  const std::string text = content(file(rank, "pid"));
  if (text.empty() || text.back() != '\n') return std::nullopt;
  return static_cast<pid_t>(std::stol(text));
}

void Job::signal(std::size_t rank, int number) const {
  await([&] { return process_of(rank).has_value(); }, "the start of a rank");
  if (::kill(*process_of(rank), number) != 0) throw std::runtime_error("cannot signal a rank");
}

bool Job::is_alive(std::size_t rank) const {
  const std::optional<pid_t> process = process_of(rank);
  const std::vector<pid_t> all = alive();
  return process && std::find(all.begin(), all.end(), *process) != all.end();
}

double Job::seconds_since_fault() const {
  using std::chrono::system_clock;
  struct stat status {};
  auto since = started_;
  if (::stat((folder_ / kFaultFile).c_str(), &status) == 0) {
    since = system_clock::from_time_t(status.st_mtim.tv_sec) +
            std::chrono::duration_cast<system_clock::duration>(
                std::chrono::nanoseconds(status.st_mtim.tv_nsec));
  }
  return std::chrono::duration<double>(system_clock::now() - since).count();
}

JobEnd Job::wait(double limit_s, const std::set<std::size_t>& others) {
  const auto start = std::chrono::steady_clock::now();
  JobEnd end;
  do {
    end.in_time = true;
    for (auto& [rank, process] : processes_) {
      look_after(process);
      if (!others.contains(rank) && !process.exit_code) end.in_time = false;
    }
    if (end.in_time) break;
    sleep_a_little();
  } while (std::chrono::steady_clock::now() - start < std::chrono::duration<double>(limit_s));
  end.seconds = seconds_since_fault();
  for (std::size_t rank = 0; rank < plan_.ranks; ++rank) {
    end.ranks.push_back({std::nullopt, out(rank), err(rank)});
    const auto process = processes_.find(rank);
    if (plan_.launched_by == LaunchedBy::kMpirun || process == processes_.end()) continue;
    end.ranks.back().exit_code = process->second.exit_code;
  }
  for (const auto& [rank, process] : processes_) {
    if (!others.contains(rank))
      end.exit_code = std::max(end.exit_code, process.exit_code.value_or(-1));
  }
  end.launcher_err = content(folder_ / "mpirun.err") + content(folder_ / "mpirun.out");
  return end;
}

std::vector<pid_t> Job::alive() const {
  const std::string wanted = std::string(kMark) + "=" + mark_;
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    // Ended processes that nobody has asked for yet have an empty environment.
    const std::string variables = content(entry.path() / "environ");
    if (variables.find(wanted) != std::string::npos) {
      found.push_back(static_cast<pid_t>(std::stol(name)));
    }
  }
  return found;
}

std::string Job::left_over() const {
  try {
    await([&] { return alive().empty(); }, "the end of all processes", kLeavingSeconds);
    return {};
  } catch (const std::runtime_error&) {
    std::string text;
    for (const pid_t id : alive()) {
      std::string words = content("/proc/" + std::to_string(id) + "/cmdline");
      std::replace(words.begin(), words.end(), '\0', ' ');
      text += std::to_string(id) + ": " + words + "\n";
    }
    return text;
  }
}

// Launchers start new processes while they are looked for, so more than once.
void Job::kill_all() {
  try {
    await(
        [&] {
          const std::vector<pid_t> found = alive();
          for (const pid_t id : found) (void)::kill(id, SIGKILL);
          for (auto& [rank, process] : processes_) look_after(process);
          return found.empty();
        },
        "the end of all processes");
  } catch (const std::exception&) {
    return;  // in a destructor there is nobody to tell
  }
}

}  // namespace ossau::test
