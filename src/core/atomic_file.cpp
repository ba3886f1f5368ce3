#include "core/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

namespace ossau {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAsideMark = ".part";
// Another writer, or a killed one, may hold the first names.
constexpr int kMaxAsides = 1000;
constexpr mode_t kFileMode = 0666;  // the process's umask takes away from it

}  // namespace

AtomicFile::AtomicFile(fs::path file) : file_(std::move(file)) {
  for (int attempt = 0; attempt < kMaxAsides; ++attempt) {
    aside_ = fmt::format("{}{}{}", file_.string(), kAsideMark, attempt);
    descriptor_ =
        FileDescriptor(::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
    if (descriptor_.is_open()) return;
    if (errno != EEXIST) throw_cannot_write(file_, errno);
  }
  throw_cannot_write(file_, EEXIST);
}

AtomicFile::~AtomicFile() {
  if (!renamed_) ::unlink(aside_.c_str());
}

void AtomicFile::write(std::string_view bytes) { write_all(descriptor_, bytes, file_); }

void AtomicFile::commit() {
  if (::fsync(descriptor_.get()) != 0) throw_cannot_write(file_, errno);
  if (!descriptor_.close()) throw_cannot_write(file_, errno);
  if (std::rename(aside_.c_str(), file_.c_str()) != 0) throw_cannot_write(file_, errno);
  renamed_ = true;
  sync_directory();
}

void AtomicFile::sync_directory() const {
  const fs::path parent = file_.parent_path();
  const FileDescriptor directory(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A directory that may be written but not read cannot be flushed; the rename itself stands.
  if (!directory.is_open()) return;
  // Some file systems cannot flush a directory and say EINVAL.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) throw_cannot_write(file_, errno);
}

void write_file_atomically(const fs::path& file, std::string_view content) {
  AtomicFile out(file);
  out.write(content);
  out.commit();
}

bool is_aside_of(std::string_view candidate, std::string_view name) {
  if (!candidate.starts_with(name)) return false;
  candidate.remove_prefix(name.size());
  if (!candidate.starts_with(kAsideMark)) return false;
  candidate.remove_prefix(kAsideMark.size());
  return !candidate.empty() && std::ranges::all_of(candidate, [](char character) {
    return character >= '0' && character <= '9';
  });
}

}  // namespace ossau
