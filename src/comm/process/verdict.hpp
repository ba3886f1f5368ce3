#pragma once

#include <string>

#include "ossau/error.hpp"

namespace ossau {

/// Why a job is over: what every rank says, and the code that it ends with.
struct Verdict {
  std::string text;
  ExitCode code = ExitCode::kCommunication;
};

/// The exit code that another process has sent; that of lost communication for any other number.
inline ExitCode to_exit_code(int number) {
  for (const ExitCode code :
       {ExitCode::kConfig, ExitCode::kData, ExitCode::kDevice, ExitCode::kInterrupted}) {
    if (static_cast<int>(code) == number) return code;
  }
  return ExitCode::kCommunication;
}

}  // namespace ossau
