#include "cluster/job.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "core/file_descriptor.hpp"
#include "support/files.hpp"

extern char** environ;

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

constexpr const char* kMark = "OSSAU_TEST_JOB";
constexpr const char* kFaultFile = "fault";
constexpr double kLeavingSeconds = 5;
constexpr std::chrono::milliseconds kNap(5);

// Not to be inherited: what a launcher around the tests, or a user, has set.
bool is_of_a_launcher(std::string_view variable) {
  for (const char* const start : {"OMPI_", "PMI", "ORTE_", "SLURM_", "RANK=", "WORLD_SIZE=",
                                  "LOCAL_RANK=", "MASTER_", "OSSAU_", "TORCHELASTIC_"}) {
    if (variable.starts_with(start)) return !variable.starts_with("OSSAU_MODULE_DIRECTORY=");
  }
  return false;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!is_of_a_launcher(*each)) all.emplace_back(*each);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

FileDescriptor opened(const fs::path& path, int flags) {
  FileDescriptor descriptor(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!descriptor.is_open()) throw std::runtime_error("cannot open " + path.string());
  return descriptor;
}

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

Job::Job(const fs::path& folder, JobPlan plan)
    : folder_(folder), plan_(std::move(plan)), own_address_(unused_loopback_address()) {
  mark_ = folder_.filename().string() + "-" + own_address_;
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
  return rank * plan_.machines->count() / plan_.ranks;
}

fs::path Job::file(std::size_t rank, const std::string& ending) const {
  return folder_ / ("rank" + std::to_string(rank) + "." + ending);
}

std::string Job::err(std::size_t rank) const { return content(file(rank, "err")); }
std::string Job::out(std::size_t rank) const { return content(file(rank, "out")); }
bool Job::fault_done() const { return fs::exists(folder_ / kFaultFile); }

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

void Job::start_rank(std::size_t rank) {
  std::vector<std::string> words = plan_.command;
  if (const auto more = plan_.more.find(rank); more != plan_.more.end()) {
    words.push_back(more->second);
  }
  std::optional<std::size_t> machine;
  if (plan_.machines != nullptr) machine = machine_of(rank);
  spawn(processes_[rank], words, variables(rank), "rank" + std::to_string(rank), machine);
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
  const std::string network = "10.77.0.0/24";
  return {"--hostfile",
          (folder_ / "hosts").string(),
          "--mca",
          "plm",
          "rsh",
          "--mca",
          "plm_rsh_agent",
          (folder_ / "agent.sh").string(),
          "--mca",
          "plm_rsh_no_tree_spawn",
          "1",
          "--mca",
          "pml",
          "ob1",
          "--mca",
          "btl",
          "tcp,self",
          "--mca",
          "btl_tcp_if_include",
          network,
          "--mca",
          "oob_tcp_if_include",
          network};
}

// Every rank goes through a shell that sends its output to files of its own.
void Job::start_mpirun() {
  std::vector<std::string> words = {
      "mpirun", "--oversubscribe",          "--mca", "mpi_yield_when_idle", "1",
      "-np",    std::to_string(plan_.ranks)};
  std::optional<std::size_t> machine;
  if (plan_.machines != nullptr) {
    const std::vector<std::string> more = mpirun_on_machines();
    words.insert(words.end(), more.begin(), more.end());
    machine = 0;
  }
  const std::string own = (folder_ / "rank").string() + "$OMPI_COMM_WORLD_RANK";
  std::string cases;
  for (const auto& [rank, more] : plan_.more) {
    cases += std::to_string(rank) + ") set -- \"$@\" '" + more + "' ;; ";
  }
  words.insert(words.end(), {"/bin/sh", "-c",
                             "cd '" + folder_.string() + "'; case $OMPI_COMM_WORLD_RANK in " +
                                 cases + "esac; echo $$ > " + own + ".pid; exec \"$0\" \"$@\" > " +
                                 own + ".out 2> " + own + ".err"});
  words.insert(words.end(), plan_.command.begin(), plan_.command.end());
  std::map<std::string, std::string> more = variables(0);
  more["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
  more["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
  spawn(processes_[0], words, more, "mpirun", machine);
}

void Job::spawn(Process& process, const std::vector<std::string>& given,
                const std::map<std::string, std::string>& more, const std::string& name,
                std::optional<std::size_t> machine) const {
  std::vector<std::string> words = given;
  std::vector<std::string> environment = environment_with(more);
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> variables = pointers(environment);
  const FileDescriptor in = opened("/dev/null", O_RDONLY);
  const FileDescriptor out = opened(folder_ / (name + ".out"), O_WRONLY | O_CREAT | O_TRUNC);
  const FileDescriptor err = opened(folder_ / (name + ".err"), O_WRONLY | O_CREAT | O_TRUNC);
  FileDescriptor network;
  std::string host;
  if (machine) {
    network = opened("/run/netns/" + plan_.machines->name_space(*machine), O_RDONLY);
    host = Machines::host(*machine);
  }
  process.id = ::fork();
  if (process.id < 0) throw std::runtime_error("cannot fork");
  if (process.id > 0) return;
  // In the child only what is allowed between fork and exec.
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);  // with a test that is killed
  (void)::setpgid(0, 0);
  const bool placed =
      !machine || (::setns(network.get(), CLONE_NEWNET) == 0 && ::unshare(CLONE_NEWUTS) == 0 &&
                   ::sethostname(host.data(), host.size()) == 0);
  if (placed && ::chdir(folder_.c_str()) == 0 && ::dup2(in.get(), 0) >= 0 &&
      ::dup2(out.get(), 1) >= 0 && ::dup2(err.get(), 2) >= 0) {
    ::execvpe(arguments[0], arguments.data(), variables.data());
  }
  ::_exit(126);
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
