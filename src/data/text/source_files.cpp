#include "data/text/source_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>

#include "data/text/decompress.hpp"
#include "data/text/messages.hpp"
#include "data/text/utf8.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {
namespace fs = std::filesystem;

// Where relative paths start, for a message.
std::string current_folder() {
  std::error_code error;
  const fs::path folder = fs::current_path(error);
  return error ? "a folder that is gone" : folder.string();
}

[[noreturn]] void fail_to_read(const std::string& path, int code) {
  std::string remedy;
  if (code == ENOENT && fs::path(path).is_relative()) {
    remedy = fmt::format(" (paths start at {})", current_folder());
  } else if (code == EISDIR) {
    remedy = " (name its files, for example with a glob)";
  } else if (code == EACCES || code == EPERM) {
    remedy = " (check its permissions)";
  }
  throw DataError(fmt::format("{}: cannot read the file: {}{}", path,
                              std::generic_category().message(code), remedy));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(const std::string& path)
      : value_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (value_ < 0) fail_to_read(path, errno);
  }
  ~FileDescriptor() { close(value_); }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Reads until the end, so that pipes work too; the size is only a hint.
std::string read_bytes(const std::string& path) {
  const FileDescriptor file(path);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fail_to_read(path, errno);
  if (S_ISDIR(status.st_mode)) fail_to_read(path, EISDIR);
  constexpr std::size_t kLeastBytes = std::size_t{1} << 16;
  std::string bytes(std::max(kLeastBytes, static_cast<std::size_t>(status.st_size) + 1), '\0');
  std::size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(2 * filled);
    const ssize_t got = read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got == 0) break;
    if (got > 0) {
      filled += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      fail_to_read(path, errno);
    }
  }
  bytes.resize(filled);
  return bytes;
}

Compression named_compression(const std::string& path) {
  if (path.ends_with(".gz")) return Compression::kGzip;
  if (path.ends_with(".zst")) return Compression::kZstd;
  return Compression::kNone;
}

// The content decides, whatever the name; a name that promises compression must keep it.
std::string read_text(const std::string& path) {
  std::string bytes = read_bytes(path);
  const Compression named = named_compression(path);
  const Compression found = compression_of(bytes);
  if (found != Compression::kNone) return decompress(bytes, found, path);
  if (named != Compression::kNone) {
    throw DataError(fmt::format("{}: this is not {} data (rename the file if it is plain text)",
                                path, named == Compression::kGzip ? "gzip" : "zstd"));
  }
  return bytes;
}

// One long line would only give messages about cells that nobody wrote.
void check_line_ends(const SourceText& file) {
  const std::string& text = file.text;
  if (text.find('\n') != std::string::npos) return;
  const std::size_t end = text.find('\r');
  if (end == std::string::npos || text.find_first_not_of(" \t\r", end) == std::string::npos) return;
  throw DataError(fmt::format(
      "{}: line ends are CR only (convert the file, for example with tr '\\r' '\\n')", file.name));
}

void check_text(const SourceText& file) {
  const std::string& text = file.text;
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    throw DataError(fmt::format("{}: the text is UTF-16 (save it as UTF-8)", file.name));
  }
  const std::size_t nul = text.find('\0');
  if (nul != std::string::npos) {
    throw DataError(fmt::format("{}: NUL byte (this is no text; give LIBSVM, CSV or TSV)",
                                file.where(text.data() + nul)));
  }
  const std::size_t invalid = first_invalid_utf8(text);
  if (invalid != std::string::npos) {
    throw DataError(
        fmt::format("{}: byte 0x{:02x} is not UTF-8 (convert the file, for example "
                    "with iconv -f latin1 -t utf-8)",
                    file.where(text.data() + invalid), static_cast<unsigned char>(text[invalid])));
  }
  check_line_ends(file);
}

std::vector<std::string> matches_of(const std::string& pattern, std::string_view key) {
  glob_t found{};
  const int status = glob(pattern.c_str(), GLOB_ERR | GLOB_NOSORT, nullptr, &found);
  const int code = errno;
  std::vector<std::string> paths;
  if (status == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (status == GLOB_NOMATCH) {
    throw DataError(fmt::format("{}: no file matches {} (check the pattern; it starts at {})", key,
                                shown(pattern), current_folder()));
  }
  if (status != 0) fail_to_read(pattern, code);
  // Not glob's own order: that one follows the locale.
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

std::string SourceText::where(const char* at) const {
  const std::string_view before(text.data(), static_cast<std::size_t>(at - text.data()));
  const std::size_t newline = before.rfind('\n');
  const std::size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  return fmt::format("{}:{}", where_line(at), before.size() - line_start + 1);
}

std::string SourceText::where_line(const char* at) const {
  return fmt::format("{}:{}", name, 1 + std::count(text.data(), at, '\n'));
}

std::vector<std::string> expand_paths(const std::vector<std::string>& patterns,
                                      std::string_view key) {
  std::vector<std::string> paths;
  for (const std::string& pattern : patterns) {
    std::error_code ignored;
    // A file may have a bracket in its name.
    if (pattern.find_first_of("*?[") == std::string::npos || fs::exists(pattern, ignored)) {
      paths.push_back(pattern);
      continue;
    }
    for (std::string& path : matches_of(pattern, key)) paths.push_back(std::move(path));
  }
  return paths;
}

SourceText read_source(const std::string& path) {
  try {
    SourceText file{.name = path, .text = read_text(path)};
    if (file.text.starts_with("\xef\xbb\xbf")) file.text.erase(0, 3);
    check_text(file);
    return file;
  } catch (const std::bad_alloc&) {
    throw DataError(fmt::format("{}: the file does not fit into memory", path));
  } catch (const std::length_error&) {
    throw DataError(fmt::format("{}: the file does not fit into memory", path));
  }
}

std::string uncompressed_name(const std::string& path) {
  const fs::path name = fs::path(path).filename();
  return named_compression(path) == Compression::kNone ? name.string() : name.stem().string();
}

}  // namespace ossau
