#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "support/files.hpp"

namespace ossau::test {

/// The shipped program in a folder of its own.
class Program : public ::testing::Test {
 protected:
  struct Result {
    int exit_code = -1;
    std::string out;
    std::string err;
  };

  // Runs `ossau ARGUMENTS` by the shell in an empty folder.  environment: "NAME=VALUE ...".
  Result run(const std::string& arguments, const std::string& environment = "") const {
    return run_program(OSSAU_PROGRAM, arguments, environment);
  }

  Result run_program(const std::string& program, const std::string& arguments,
                     const std::string& environment) const {
    const std::string out = (folder_.path() / "out").string();
    const std::string err = (folder_.path() / "err").string();
    const std::string command = "cd '" + folder_.path().string() + "' && { " + environment + " '" +
                                program + "' " + arguments + "; } >" + out + " 2>" + err;
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(out), read_file(err)};
  }

  static int count(const std::string& text, const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
      ++found;
    }
    return found;
  }

  const TemporaryDirectory folder_;
};

}  // namespace ossau::test
