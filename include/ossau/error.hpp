#pragma once

#include <stdexcept>
#include <string>

namespace ossau {

/// What the process returns to its caller (see docs: failure contract).
enum class ExitCode : int {
  kDone = 0,
  kConfig = 2,
  kData = 3,
  kDevice = 4,
  kCommunication = 5,
  kInterrupted = 75,
};

/// Base of everything a user can meet.  A message names the subject, its place, the value and the
/// remedy, for example
/// `train.yaml:12: optimizer.lerning_rate: unknown key (did you mean learning_rate?)`.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// Wrong usage or configuration, a missing configuration file and a diverging run included.
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& message) : Error(ExitCode::kConfig, message) {}
};

/// Unreadable, malformed or unusable data, a missing data file included.
class DataError : public Error {
 public:
  explicit DataError(const std::string& message) : Error(ExitCode::kData, message) {}
};

/// A device that is missing, broken or too small; a result that cannot be written.
class DeviceError : public Error {
 public:
  explicit DeviceError(const std::string& message) : Error(ExitCode::kDevice, message) {}
};

/// A rank that is lost, stalled or out of step.
class CommError : public Error {
 public:
  /// code: where this rank only follows another one that failed, the code of that one's failure, so
  /// that all of a job's processes end with the same.
  explicit CommError(const std::string& message, ExitCode code = ExitCode::kCommunication)
      : Error(code, message) {}
};

/// A training that a signal ended: a checkpoint is on disk, from which the same command goes on.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(ExitCode::kInterrupted, message) {}
};

}  // namespace ossau
