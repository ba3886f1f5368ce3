#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ossau::test {

/// A program to start.
struct Spawn {
  std::vector<std::string> words;  // its name, looked for where a shell would, and arguments
  /// Beside the variables of the test, without those that a launcher around it has set.
  std::map<std::string, std::string> variables;
  std::filesystem::path directory;
  std::filesystem::path out;  // files for its output
  std::filesystem::path err;
  std::string name_space;  // of the network; empty: the test's
  std::string host;        // the machine's name there
};

/// Starts it in a process group of its own; it ends with the test's process, if not before.
/// Returns the process's number.  Throws std::runtime_error.
pid_t spawn(const Spawn& program);

}  // namespace ossau::test
