#include "train/checkpoint_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <tuple>

#include "core/atomic_file.hpp"
#include "core/file_descriptor.hpp"
#include "ossau/error.hpp"
#include "train/checkpoint_identity.hpp"

namespace ossau {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::size_t kLeastDigits = 12;

bool only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

// What the name of a checkpoint tells; nothing where it is another file's.
std::optional<CheckpointEntry> entry_of(const fs::path& file) {
  const std::string name = file.filename().string();
  constexpr std::size_t kFixed = kPrefix.size() + 1 + kKeyDigits + kSuffix.size();
  if (name.size() < kFixed + kLeastDigits) return std::nullopt;
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::size_t digits = name.size() - kFixed;
  const std::string_view number = std::string_view(name).substr(kPrefix.size(), digits);
  const std::string_view dash = std::string_view(name).substr(kPrefix.size() + digits, 1);
  const std::string_view key =
      std::string_view(name).substr(kPrefix.size() + digits + 1, kKeyDigits);
  if (!only(number, "0123456789") || dash != "-" || !only(key, "0123456789abcdef")) {
    return std::nullopt;
  }
  CheckpointEntry entry{.file = file, .steps = 0, .key = std::string(key)};
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), entry.steps);
  return error == std::errc() ? std::optional(entry) : std::nullopt;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return files;
  for (const fs::directory_iterator end; !error && entry != end; entry.increment(error)) {
    files.push_back(entry->path());
  }
  if (!error) return files;
  throw ConfigError(fmt::format("checkpoint.directory: {}: cannot be read: {} (choose another)",
                                folder.string(), error.message()));
}

// The checkpoint that a file belongs to: itself, or the one that it is a half written part of.
std::optional<CheckpointEntry> owner_of(const fs::path& file) {
  const std::string name = file.filename().string();
  const std::size_t end = name.find(kSuffix);
  if (end == std::string::npos) return std::nullopt;
  const std::string whole = name.substr(0, end + kSuffix.size());
  if (whole != name && !is_aside_of(name, whole)) return std::nullopt;
  return entry_of(file.parent_path() / whole);
}

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) throw_cannot_write(file, error.value());
}

}  // namespace

fs::path checkpoint_path(const fs::path& folder, std::int64_t steps, const std::string& key) {
  return folder / fmt::format("{}{:0{}}-{}{}", kPrefix, steps, kLeastDigits, key, kSuffix);
}

std::vector<CheckpointEntry> list_checkpoints(const fs::path& folder) {
  std::vector<CheckpointEntry> entries;
  for (const fs::path& file : files_in(folder)) {
    if (auto entry = entry_of(file)) entries.push_back(*std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tuple(b.steps, b.key) < std::tuple(a.steps, a.key);
  });
  return entries;
}

void prune_checkpoints(const fs::path& folder, const std::string& key, std::int64_t steps,
                       std::int64_t keep) {
  std::vector<fs::path> kept;
  for (const CheckpointEntry& entry : list_checkpoints(folder)) {
    // Those with more steps are damaged, or of a course that was given up for an earlier one.
    const bool counts = entry.key == key && entry.steps <= steps;
    if (counts && std::ssize(kept) < keep) kept.push_back(entry.file);
  }
  for (const fs::path& file : files_in(folder)) {
    const std::optional<CheckpointEntry> owner = owner_of(file);
    if (!owner || owner->key != key) continue;
    if (std::find(kept.begin(), kept.end(), file) == kept.end()) remove_file(file);
  }
}

void remove_checkpoints(const fs::path& folder, const std::string& key) {
  for (const fs::path& file : files_in(folder)) {
    const std::optional<CheckpointEntry> owner = owner_of(file);
    if (owner && (key.empty() || owner->key == key)) remove_file(file);
  }
}

}  // namespace ossau
