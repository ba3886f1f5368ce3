#include "core/module.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

namespace ossau {
namespace {
namespace fs = std::filesystem;

fs::path program_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

// The loader maps what the headers promise and is killed where the file ends before that, as after
// a disk ran full.  Anything else that is wrong it reports by itself.
bool is_cut_short(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(file, error);
  Elf64_Ehdr header;
  std::ifstream in(file, std::ios::binary);
  if (error || !in.read(reinterpret_cast<char*>(&header), sizeof header)) return false;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  const auto beyond = [bytes](std::uint64_t offset, std::uint64_t size) {
    return offset > bytes || size > bytes - offset;
  };
  if (beyond(header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize)) return true;
  in.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!in.read(reinterpret_cast<char*>(&segment), sizeof segment)) return true;
    if (segment.p_type == PT_LOAD && beyond(segment.p_offset, segment.p_filesz)) return true;
  }
  return false;
}

std::string join(const std::vector<fs::path>& folders) {
  std::string text;
  for (const fs::path& folder : folders) {
    text += (text.empty() ? "" : ", ") + folder.string();
  }
  return text;
}

}  // namespace

void* LoadedModule::symbol(const char* name) const {
  return handle == nullptr ? nullptr : ::dlsym(handle, name);
}

std::vector<fs::path> module_folders() {
  const char* given = std::getenv("OSSAU_MODULE_DIRECTORY");
  if (given != nullptr && *given != '\0') return {given};
  const fs::path beside = program_folder();
  const fs::path above = beside.parent_path();
  std::vector<fs::path> folders = {beside, above / "lib" / "ossau"};
  // Where this build installs libraries: lib64 or lib/x86_64-linux-gnu on some systems.
  const fs::path installed = above / OSSAU_LIBRARY_FOLDER / "ossau";
  if (installed != folders.back()) folders.push_back(installed);
  return folders;
}

LoadedModule load_module(const std::string& name) {
  const std::string file_name = "lib" + name + ".so";
  const std::vector<fs::path> folders = module_folders();
  LoadedModule module;
  for (const fs::path& folder : folders) {
    std::error_code ignored;
    if (!fs::exists(folder / file_name, ignored)) continue;
    module.file = folder / file_name;
    break;
  }
  if (module.file.empty()) {
    module.why = fmt::format("{} is not there (looked in {})", file_name, join(folders));
    return module;
  }
  if (is_cut_short(module.file)) {
    module.why = fmt::format("{} cannot be loaded: it is cut short", module.file.string());
    return module;
  }
  module.handle = ::dlopen(module.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module.handle == nullptr) {
    const char* reason = ::dlerror();
    module.why = fmt::format("{} cannot be loaded: {}", module.file.string(),
                             reason == nullptr ? "unknown reason" : reason);
  }
  return module;
}

}  // namespace ossau
