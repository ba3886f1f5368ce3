#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ossau {

// Checkpoints are named by total steps and by whose they are:
// step-000000001234-1a2b3c4d.safetensors. So a folder may hold those of several trainings, and none
// touches another's.

/// A checkpoint as its name tells.
struct CheckpointEntry {
  std::filesystem::path file;
  std::int64_t steps = 0;
  std::string key;  // CheckpointIdentity::key()
};

std::filesystem::path checkpoint_path(const std::filesystem::path& folder, std::int64_t steps,
                                      const std::string& key);

/// The checkpoints of a folder, most steps first; none where there is no folder.  Throws
/// ConfigError where it cannot be read.
std::vector<CheckpointEntry> list_checkpoints(const std::filesystem::path& folder);

/// Keeps the checkpoint with `steps` and the keep - 1 before it, and removes all others of its key,
/// with what killed processes left half written.  Throws DeviceError.
void prune_checkpoints(const std::filesystem::path& folder, const std::string& key,
                       std::int64_t steps, std::int64_t keep);

/// Removes the checkpoints of one key, or of all where it is empty, whole or half written.  Other
/// files stay, and the folder.  Throws ConfigError or DeviceError.
void remove_checkpoints(const std::filesystem::path& folder, const std::string& key);

}  // namespace ossau
