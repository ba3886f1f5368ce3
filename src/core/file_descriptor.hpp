#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

namespace ossau {

/// Owns one open file descriptor and closes it at the end.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~FileDescriptor() { close(); }
  FileDescriptor(FileDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  /// False where the system reports an error (network file systems write late); errno says which.
  bool close() noexcept;

 private:
  int descriptor_ = -1;
};

/// Throws the DeviceError "FILE: cannot write: REASON (REMEDY)" for the errno value `error`.
[[noreturn]] void throw_cannot_write(const std::filesystem::path& file, int error);

/// Writes all of `bytes`; `file` is the name for the message.  Throws DeviceError.
void write_all(const FileDescriptor& descriptor, std::string_view bytes,
               const std::filesystem::path& file);

}  // namespace ossau
