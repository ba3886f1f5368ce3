#include "support/files.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace ossau::test {
namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  // mkdtemp fills in the six letters at the end.
  std::string pattern = (fs::temp_directory_path() / "ossau-test-").string() + std::string(6, 'X');
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TemporaryDirectory::write(std::string_view name, std::string_view content) const {
  fs::path file = path_ / name;
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << content;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  return file;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path source_directory() { return OSSAU_SOURCE_DIR; }

std::optional<fs::path> reference_data(std::string_view name) {
  const char* chosen = std::getenv("OSSAU_REFERENCE_DATA");
  const fs::path folder =
      chosen != nullptr ? fs::path(chosen) : source_directory() / ".." / "shared" / "data";
  fs::path file = (folder / name).lexically_normal();
  if (!fs::exists(file)) return std::nullopt;
  return file;
}

}  // namespace ossau::test
