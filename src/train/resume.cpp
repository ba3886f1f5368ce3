#include "train/resume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/log.hpp"
#include "core/safetensors.hpp"
#include "ossau/error.hpp"
#include "train/checkpoint_file.hpp"
#include "train/checkpoint_folder.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

Safetensors load_checked(const fs::path& file, const CheckpointIdentity& identity,
                         std::int64_t features) {
  Safetensors loaded = load_safetensors(file);
  require_identity(loaded, identity);
  (void)state_of(loaded, features);  // as the other ranks will read it
  return loaded;
}

// The newest of `entries` that serves; a warning for each that does not.
std::optional<Safetensors> newest_that_serves(const std::vector<CheckpointEntry>& entries,
                                              const CheckpointIdentity& identity,
                                              std::int64_t features) {
  for (const CheckpointEntry& entry : entries) {
    try {
      return load_checked(entry.file, identity, features);
    } catch (const Error& error) {
      log_warning(fmt::format("checkpoint not used: {}", error.what()));
    }
  }
  return std::nullopt;
}

// Ours first.  Of another training's the newest is named, with what is different, where nothing of
// ours is there: it may be a slip.
std::optional<Safetensors> find_in_own_folder(const fs::path& folder,
                                              const CheckpointIdentity& identity,
                                              std::int64_t features) {
  std::vector<CheckpointEntry> entries = list_checkpoints(folder);
  if (entries.empty()) return std::nullopt;
  const auto others = std::stable_partition(
      entries.begin(), entries.end(),
      [key = identity.key()](const CheckpointEntry& entry) { return entry.key == key; });
  if (others == entries.begin()) {
    entries.resize(1);
  } else {
    entries.erase(others, entries.end());
  }
  auto found = newest_that_serves(entries, identity, features);
  if (!found) log_info("training starts from the beginning");
  return found;
}

// A folder that somebody named: what is wrong with the newest is an error where none serves.
Safetensors find_in_named_folder(const fs::path& folder, const CheckpointIdentity& identity,
                                 std::int64_t features) {
  const std::vector<CheckpointEntry> entries = list_checkpoints(folder);
  if (entries.empty()) {
    throw ConfigError(fmt::format(
        "checkpoint.resume: {}: holds no checkpoint (name a checkpoint file, auto or never)",
        folder.string()));
  }
  const std::string key = identity.key();
  for (const CheckpointEntry& entry : entries) {
    if (entry.key != key) continue;
    auto found = newest_that_serves({entry}, identity, features);
    if (found) return *std::move(found);
  }
  return load_checked(entries.front().file, identity, features);
}

std::optional<Safetensors> find(const CheckpointConfig& config, const CheckpointIdentity& identity,
                                std::int64_t features) {
  if (config.resume == "never") return std::nullopt;
  if (config.resume == "auto") {
    if (!config.directory) return std::nullopt;
    return find_in_own_folder(*config.directory, identity, features);
  }
  require_resume_path(config);
  const fs::path path = config.resume;
  std::error_code ignored;  // what cannot be looked at cannot be read either
  if (fs::is_directory(path, ignored)) return find_in_named_folder(path, identity, features);
  return load_checked(path, identity, features);
}

// Rank 0's content on all ranks; empty: none.
std::vector<char> broadcast_content(Communicator& communicator, std::span<const char> mine) {
  std::uint64_t size = mine.size();
  communicator.broadcast(std::as_writable_bytes(std::span(&size, 1)), 0, "size of the checkpoint");
  std::vector<char> content(mine.begin(), mine.end());
  content.resize(size);
  communicator.broadcast(std::as_writable_bytes(std::span(content)), 0, "checkpoint");
  return content;
}

}  // namespace

void require_resume_path(const CheckpointConfig& config) {
  if (config.resume == "auto" || config.resume == "never") return;
  std::error_code error;
  if (fs::exists(config.resume, error)) return;
  throw ConfigError(
      fmt::format("checkpoint.resume: {}: {} (name a checkpoint file, a folder of "
                  "them, auto or never)",
                  config.resume, error ? error.message() : "no such file"));
}

std::optional<Resumption> find_resumption(const CheckpointConfig& config,
                                          const CheckpointIdentity& identity, std::int64_t features,
                                          Communicator& communicator) {
  std::optional<Safetensors> found;
  if (communicator.rank().rank == 0) found = find(config, identity, features);
  std::string name = found ? found->file() : "checkpoint of rank 0";
  std::vector<char> content =
      broadcast_content(communicator, found ? found->content() : std::span<const char>());
  found.reset();
  if (content.empty()) return std::nullopt;
  const Safetensors file = parse_safetensors(std::move(content), name);
  return Resumption{.file = std::move(name), .state = state_of(file, features)};
}

}  // namespace ossau
