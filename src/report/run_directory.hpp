#pragma once

#include <filesystem>

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

/// Creates `run.directory` (with its parents), clears what an earlier run of Ossau left in it, and
/// writes the effective configuration.  Other files stay.
/// Throws ConfigError where it holds a finished run and run.overwrite is false, or is no directory;
/// DeviceError where it cannot be written.
RunFiles prepare_run_directory(const Config& config);

/// Removes the model and the summary, finished or half written: a failed run leaves none.
void discard_results(const RunFiles& files) noexcept;

}  // namespace ossau
