#pragma once

#include <cstdint>
#include <filesystem>
#include <future>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "core/clock.hpp"
#include "core/file_descriptor.hpp"
#include "core/function_ref.hpp"
#include "ossau/config.hpp"
#include "train/checkpoint_identity.hpp"
#include "train/training_state.hpp"

namespace ossau {

/// A folder for the checkpoints of one training, while it is used: made where it is not there, and
/// kept from other runs of the same training, which would take each other's files for leftovers.
class CheckpointFolder {
 public:
  /// Throws DeviceError where it cannot be written, ConfigError where another run uses it.
  CheckpointFolder(std::filesystem::path folder, const std::string& key);
  /// Leaves no empty folder that was not there before.
  ~CheckpointFolder();
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

 private:
  std::filesystem::path folder_;
  std::filesystem::path lock_file_;
  bool was_made_ = false;
  FileDescriptor lock_;
};

/// Writes checkpoints of one training: rank 0 when they are due, beside the training, and when the
/// training is interrupted.  On rank 0 config.directory must be given and the identity known.
class Checkpoints {
 public:
  Checkpoints(CheckpointConfig config, CheckpointIdentity identity, Communicator& communicator);
  /// Waits until what is being written is on disk.
  ~Checkpoints() = default;
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  /// Steps from one after `steps` to the next checkpoint that is counted by steps; no limit: the
  /// greatest number.
  std::int64_t steps_until_due(std::int64_t steps) const;

  /// After a step, on every rank.  state: copies it; called where it is to be written, on rank 0.
  /// Throws DeviceError where the last one could not be written.
  void after_step(const TrainingPosition& position, FunctionRef<TrainingState()> state);

  /// Collective, for an interruption: writes one and throws Interrupted on every rank, or
  /// DeviceError on rank 0 where it cannot be written.
  [[noreturn]] void stop(const TrainingPosition& position, std::int64_t steps_per_epoch,
                         FunctionRef<TrainingState()> state);

 private:
  bool due(const TrainingPosition& position);
  void finish_writing();
  std::filesystem::path write(const TrainingState& state) const;

  CheckpointConfig config_;
  CheckpointIdentity identity_;
  std::string key_;
  Communicator& communicator_;
  std::optional<CheckpointFolder> folder_;  // rank 0
  Stopwatch clock_;                         // since the last one
  std::int64_t rows_at_look_ = 0;           // at the clock
  std::future<void> being_written_;         // invalid: none is
};

}  // namespace ossau
