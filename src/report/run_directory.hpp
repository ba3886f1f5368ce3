#pragma once

#include <filesystem>

#include "core/file_descriptor.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Where a run's files are.
struct RunFiles {
  std::filesystem::path directory;
  std::filesystem::path config;   // config.yaml: the effective configuration
  std::filesystem::path metrics;  // metrics.jsonl: one line an epoch
  std::filesystem::path model;    // model.safetensors
  std::filesystem::path summary;  // summary.json: there only when the run has finished
};

/// The files of a run in `directory`; touches nothing.
RunFiles run_files(const std::filesystem::path& directory);

/// A run directory in use: no other run may write there while this lives.
struct RunDirectory {
  FileDescriptor lock;
  RunFiles results;  // where a finished run is looked for
  RunFiles files;    // what the run writes: `results`, or aside where those of a finished run are

  bool aside() const { return files.directory != results.directory; }
};

/// Where the checkpoints of a run are: checkpoint.directory, else a folder in run.directory.
std::filesystem::path checkpoint_directory(const Config& config);

/// Creates `run.directory` (with its parents), locks it, clears what an unfinished run of Ossau
/// left in it, but checkpoints only with checkpoint.resume: never, and writes the effective
/// configuration.  A finished run stays as it is until
/// publish(); other files stay. Throws ConfigError where another run is writing there, where it
/// holds a finished run and run.overwrite is false, or is no directory; DeviceError where it cannot
/// be written.
RunDirectory prepare_run_directory(const Config& config);

/// The end of a complete run: what was written aside replaces the finished run's files.
/// Throws DeviceError; what has not been moved by then stays aside.
void publish(const RunDirectory& run);

/// Removes what a failed run must not leave: its model and its summary, finished or half written,
/// and everything that it wrote aside.
void discard_results(const RunDirectory& run) noexcept;

}  // namespace ossau
