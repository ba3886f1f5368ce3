#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ossau::test {

/// A new empty folder, removed with everything in it at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes a file in this folder and returns its path.
  std::filesystem::path write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);

/// The top folder of the source tree.
std::filesystem::path source_directory();

/// A file of the reference data (environment variable OSSAU_REFERENCE_DATA, else ../shared/data
/// beside the source tree); absent where this machine does not have it.
std::optional<std::filesystem::path> reference_data(std::string_view name);

}  // namespace ossau::test
