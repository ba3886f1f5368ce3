#include "cluster/spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <string_view>

#include "core/file_descriptor.hpp"

extern char** environ;

namespace ossau::test {
namespace {
namespace fs = std::filesystem;

constexpr int kNotStarted = 126;

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

}  // namespace

pid_t spawn(const Spawn& program) {
  std::vector<std::string> words = program.words;
  std::vector<std::string> environment = environment_with(program.variables);
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> variables = pointers(environment);
  const FileDescriptor in = opened("/dev/null", O_RDONLY);
  const FileDescriptor out = opened(program.out, O_WRONLY | O_CREAT | O_TRUNC);
  const FileDescriptor err = opened(program.err, O_WRONLY | O_CREAT | O_TRUNC);
  const bool elsewhere = !program.name_space.empty();
  FileDescriptor network;
  if (elsewhere) network = opened("/run/netns/" + program.name_space, O_RDONLY);
  const pid_t process = ::fork();
  if (process < 0) throw std::runtime_error("cannot fork");
  if (process > 0) return process;
  // In the child only what is allowed between fork and exec.
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)::setpgid(0, 0);
  const bool placed =
      !elsewhere || (::setns(network.get(), CLONE_NEWNET) == 0 && ::unshare(CLONE_NEWUTS) == 0 &&
                     ::sethostname(program.host.data(), program.host.size()) == 0);
  if (placed && ::chdir(program.directory.c_str()) == 0 && ::dup2(in.get(), 0) >= 0 &&
      ::dup2(out.get(), 1) >= 0 && ::dup2(err.get(), 2) >= 0) {
    ::execvpe(arguments[0], arguments.data(), variables.data());
  }
  ::_exit(kNotStarted);
}

}  // namespace ossau::test
