#include "train/checkpoints.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "core/file_descriptor.hpp"
#include "ossau/error.hpp"
#include "train/checkpoint_file.hpp"
#include "train/checkpoint_folder.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

// Looking at the clock takes 20 ns, which is much beside a step of a few rows.
constexpr std::int64_t kRowsBetweenLooks = 4096;
constexpr double kSecondsOfMinute = 60;

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path folder, const std::string& key)
    : folder_(std::move(folder)), lock_file_(folder_ / (".lock-" + key)) {
  std::error_code error;
  was_made_ = fs::create_directories(folder_, error);
  constexpr mode_t kFileMode = 0666;  // the process's umask takes away from it
  if (!error) {
    lock_ = FileDescriptor(::open(lock_file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  }
  if (!lock_.is_open()) {
    throw DeviceError(
        fmt::format("checkpoint.directory: {}: cannot be written: {} (choose another directory)",
                    folder_.string(), error ? error.message() : std::strerror(errno)));
  }
  // Other errors: some network file systems lock nothing; a run there is not guarded.
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw ConfigError(
        fmt::format("checkpoint.directory: {}: another run of the same training keeps its "
                    "checkpoints here (wait for it, or choose another directory)",
                    folder_.string()));
  }
}

CheckpointFolder::~CheckpointFolder() {
  std::error_code ignored;
  fs::remove(lock_file_, ignored);
  if (was_made_) fs::remove(folder_, ignored);  // only where it is empty
}

Checkpoints::Checkpoints(CheckpointConfig config, CheckpointIdentity identity,
                         Communicator& communicator)
    : config_(std::move(config)),
      identity_(std::move(identity)),
      key_(identity_.key()),
      communicator_(communicator) {
  if (communicator_.rank().rank == 0) folder_.emplace(*config_.directory, key_);
}

std::int64_t Checkpoints::steps_until_due(std::int64_t steps) const {
  if (!config_.every_steps) return std::numeric_limits<std::int64_t>::max();
  return *config_.every_steps - steps % *config_.every_steps;
}

bool Checkpoints::due(const TrainingPosition& position) {
  if (config_.every_steps && position.steps % *config_.every_steps == 0) return true;
  if (config_.every_minutes == 0) return false;
  if (position.rows_visited - rows_at_look_ < kRowsBetweenLooks) return false;
  rows_at_look_ = position.rows_visited;
  return clock_.seconds() >= config_.every_minutes * kSecondsOfMinute;
}

void Checkpoints::after_step(const TrainingPosition& position, FunctionRef<TrainingState()> state) {
  if (communicator_.rank().rank != 0) return;
  using namespace std::chrono_literals;
  if (being_written_.valid() && being_written_.wait_for(0s) == std::future_status::ready) {
    finish_writing();
  }
  if (!due(position)) return;
  finish_writing();
  clock_ = Stopwatch();
  const auto copy = std::make_shared<const TrainingState>(state());
  const auto write_it = [this, copy] { write(*copy); };
  try {
    being_written_ = std::async(std::launch::async, write_it);
  } catch (const std::system_error&) {
    write_it();  // the system starts no more threads
  }
}

void Checkpoints::stop(const TrainingPosition& position, std::int64_t steps_per_epoch,
                       FunctionRef<TrainingState()> state) {
  std::string where = "see rank 0";
  if (communicator_.rank().rank == 0) {
    finish_writing();
    where = write(state()).string();
  }
  // Nobody leaves before it is on disk: a launcher may end the others once one has.
  communicator_.barrier("checkpoint of an interrupted training");
  const bool same_command = config_.resume == "auto";
  throw Interrupted(fmt::format("interrupted after epoch {}, step {} of {}; checkpoint: {} ({})",
                                position.epoch + 1, position.step, steps_per_epoch, where,
                                same_command
                                    ? "run the same command again to go on"
                                    : "run it again with checkpoint.resume=auto to go on"));
}

void Checkpoints::finish_writing() {
  if (being_written_.valid()) being_written_.get();
}

fs::path Checkpoints::write(const TrainingState& state) const {
  const fs::path folder = *config_.directory;
  fs::path file = checkpoint_path(folder, state.position.steps, key_);
  try {
    save_checkpoint(file, state, identity_);
  } catch (const DeviceError& failure) {
    throw DeviceError(fmt::format("checkpoint.directory: {}", failure.what()));
  }
  prune_checkpoints(folder, key_, state.position.steps, config_.keep);
  return file;
}

}  // namespace ossau
