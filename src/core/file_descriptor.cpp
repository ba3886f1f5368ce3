#include "core/file_descriptor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "ossau/error.hpp"

namespace ossau {
namespace {

std::string_view remedy(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another directory";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a directory that you may write to";
    case ENOENT:
    case ENOTDIR:
      return "the directory must exist";
    default:
      return "check the disk or choose another directory";
  }
}

}  // namespace

bool FileDescriptor::close() noexcept {
  if (!is_open()) return true;
  return ::close(std::exchange(descriptor_, -1)) == 0;
}

void throw_cannot_write(const std::filesystem::path& file, int error) {
  throw DeviceError(fmt::format("{}: cannot write: {} ({})", file.string(),
                                std::generic_category().message(error), remedy(error)));
}

void write_all(const FileDescriptor& descriptor, std::string_view bytes,
               const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_cannot_write(file, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace ossau
