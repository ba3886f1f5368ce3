#include "report/run_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "config/write.hpp"
#include "core/atomic_file.hpp"
#include "ossau/error.hpp"
#include "train/checkpoint_folder.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

// Where a program that uses the library names no directory.
constexpr const char* kDefaultDirectory = "runs/ossau";
// In a run directory: where a run writes while the files of a finished one are still in place.
constexpr const char* kAsideFolder = "unfinished";
constexpr const char* kCheckpointFolder = "checkpoints";

fs::path run_directory(const Config& config) {
  return config.run.directory.value_or(kDefaultDirectory);
}

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) throw_cannot_write(file, error.value());
}

// `file` and what a killed process left aside of it.
void remove_with_asides(const fs::path& file) {
  remove_file(file);
  std::vector<fs::path> asides;
  std::error_code error;
  for (fs::directory_iterator entry(file.parent_path(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_aside_of(name, file.filename().string())) asides.push_back(entry->path());
  }
  if (error) throw_cannot_write(file.parent_path(), error.value());
  for (const fs::path& aside : asides) remove_file(aside);
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  std::error_code ignored;  // of asking; that of creating says more
  if (fs::is_directory(directory, ignored)) return;
  if (fs::exists(directory, ignored)) {
    throw ConfigError(
        fmt::format("run.directory: {} is not a directory (choose another)", directory.string()));
  }
  throw_cannot_write(directory, error.value());
}

// The system lets go of the lock when the process ends, however that happens.
FileDescriptor lock_directory(const fs::path& directory) {
  FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.is_open()) throw_cannot_write(directory, errno);
  // Other errors: some network file systems lock no directories; a run there is not guarded.
  if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw ConfigError(
        fmt::format("run.directory: {}: another run is writing here (wait for it, or choose "
                    "another run.directory)",
                    directory.string()));
  }
  return descriptor;
}

void clear(const RunFiles& files) {
  // The summary first: a crash in between must not leave one that speaks of removed files.
  for (const fs::path& file : {files.summary, files.model, files.metrics, files.config}) {
    remove_with_asides(file);
  }
}

void remove_leftover(const RunFiles& aside) {
  std::error_code ignored;  // a folder that stays is emptied and used again
  if (!fs::is_directory(aside.directory, ignored)) return;
  clear(aside);
  fs::remove(aside.directory, ignored);
}

void move_file(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) throw_cannot_write(to, errno);
}

// So that a crash of the machine finds the steps done in their order.
void sync_directory(const RunDirectory& run) {
  // Some file systems cannot flush a directory and say EINVAL.
  if (::fsync(run.lock.get()) != 0 && errno != EINVAL) {
    throw_cannot_write(run.results.directory, errno);
  }
}

}  // namespace

RunFiles run_files(const fs::path& directory) {
  return {.directory = directory,
          .config = directory / "config.yaml",
          .metrics = directory / "metrics.jsonl",
          .model = directory / "model.safetensors",
          .summary = directory / "summary.json"};
}

fs::path checkpoint_directory(const Config& config) {
  if (config.checkpoint.directory) return *config.checkpoint.directory;
  return run_directory(config) / kCheckpointFolder;
}

RunDirectory prepare_run_directory(const Config& config) {
  const fs::path directory = run_directory(config);
  make_directory(directory);
  RunDirectory run{.lock = lock_directory(directory),
                   .results = run_files(directory),
                   .files = run_files(directory)};
  std::error_code ignored;  // a directory that cannot be searched fails below, at the first removal
  const bool finished = fs::exists(run.results.summary, ignored);
  if (finished && !config.run.overwrite) {
    throw ConfigError(
        fmt::format("run.directory: {} holds a finished run (replace it with run.overwrite=true, "
                    "or choose another run.directory)",
                    directory.string()));
  }
  const RunFiles aside = run_files(directory / kAsideFolder);
  remove_leftover(aside);
  // Not in a folder that was named: other trainings may keep theirs there.
  if (config.checkpoint.resume == "never" && !config.checkpoint.directory) {
    remove_checkpoints(checkpoint_directory(config), "");
  }
  if (finished) {
    make_directory(aside.directory);
    run.files = aside;
  } else {
    clear(run.files);
  }
  try {
    write_file_atomically(run.files.config, effective_config_yaml(config));
  } catch (...) {
    discard_results(run);
    throw;
  }
  return run;
}

void publish(const RunDirectory& run) {
  if (!run.aside()) return;
  // Without a summary while old and new are mixed: a crash then leaves an unfinished run.
  remove_with_asides(run.results.summary);
  sync_directory(run);
  for (fs::path RunFiles::*file : {&RunFiles::config, &RunFiles::metrics, &RunFiles::model}) {
    remove_with_asides(run.results.*file);
    move_file(run.files.*file, run.results.*file);
  }
  sync_directory(run);
  move_file(run.files.summary, run.results.summary);
  sync_directory(run);
  std::error_code ignored;  // the run is complete; the next one tidies up
  fs::remove(run.files.directory, ignored);
}

void discard_results(const RunDirectory& run) noexcept {
  std::error_code ignored;  // the failure that brought us here is the one to tell
  fs::remove(run.files.summary, ignored);
  fs::remove(run.files.model, ignored);
  if (!run.aside()) return;
  fs::remove(run.files.metrics, ignored);
  fs::remove(run.files.config, ignored);
  fs::remove(run.files.directory, ignored);
}

}  // namespace ossau
