#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/files.hpp"

namespace ossau::test {

/// A file system of 64 KiB in memory, for tests of a full disk.  Needs the right to mount:
/// where `mounted()` is false a test skips itself with `reason()`.
class TinyDisk {
 public:
  TinyDisk() { mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, "size=64k") == 0; }
  ~TinyDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  /// True where that worked; root, too, may then write nothing.
  bool make_read_only() const {
    return ::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64k") == 0;
  }

  bool mounted() const { return mounted_; }
  static std::string reason() { return "this user may not mount a small file system"; }
  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  bool mounted_ = false;
};

}  // namespace ossau::test
