#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ossau {

/// A byte of some files.
struct TextPlace {
  std::int64_t file = 0;  // SourceText::number
  std::int64_t byte = 0;
  std::string where;  // file:line:column

  bool before(const TextPlace& other) const {
    return file != other.file ? file < other.file : byte < other.byte;
  }
};

/// One file in memory, decompressed, without byte order mark: UTF-8 without NUL bytes.
struct SourceText {
  std::string name;  // as it was given or matched
  std::string text;
  std::int64_t number = 0;  // among the files that are read together

  /// `name:line:column` of a byte of `text`; both count from 1, columns in bytes.
  std::string where(const char* at) const;
  /// `name:line` of a byte of `text`.
  std::string where_line(const char* at) const;
  TextPlace place(const char* at) const { return {number, at - text.data(), where(at)}; }
  /// True where nothing but white space is in it.
  bool blank() const { return text.find_first_not_of(" \t\r\n") == std::string::npos; }
};

/// Things that were left out, and the place of the first.
struct Skipped {
  std::int64_t count = 0;
  TextPlace first;
  std::string example;  // what stands there, where a message shows it

  /// Whether it was the first.
  bool add(const SourceText& file, const char* at) {
    if (count++ > 0) return false;
    first = file.place(at);
    return true;
  }
};

/// The files that `patterns` name: a path as it is, a glob as its matches in bytewise order.
/// key: the configuration key they come from, for messages.
/// Throws DataError where a glob matches nothing.
std::vector<std::string> expand_paths(const std::vector<std::string>& patterns,
                                      std::string_view key);

/// Reads a plain, gzip or zstd file whole.
/// Throws DataError with the system's reason, or where the content is not text.
SourceText read_source(const std::string& path);

/// `path` without its folder, without .gz or .zst: what its extension is looked up in.
std::string uncompressed_name(const std::string& path);

}  // namespace ossau
