#pragma once

#include <filesystem>
#include <string_view>

#include "core/file_descriptor.hpp"

namespace ossau {

/// Replaces a file so that a crash at any instant leaves either the old content or the new one:
/// bytes go to a file aside in the same directory, which commit() flushes and renames.
/// Without a commit() the old file stays and the file aside is removed.
class AtomicFile {
 public:
  /// Opens the file aside; the directory must exist.  Throws DeviceError.
  explicit AtomicFile(std::filesystem::path file);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends `bytes`.  Throws DeviceError with the path and the reason, for example a full disk.
  void write(std::string_view bytes);
  /// Makes the new content the file's, durably.  Call once, last.  Throws DeviceError.
  void commit();

 private:
  void sync_directory() const;

  std::filesystem::path file_;
  std::filesystem::path aside_;
  FileDescriptor descriptor_;
  bool renamed_ = false;
};

/// Replaces `file` by `content` as AtomicFile does.  Throws DeviceError.
void write_file_atomically(const std::filesystem::path& file, std::string_view content);

/// True for the name of a file aside that belongs to a file named `name`: what a killed process
/// may leave behind.
bool is_aside_of(std::string_view candidate, std::string_view name);

}  // namespace ossau
