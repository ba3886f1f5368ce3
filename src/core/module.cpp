#include "core/module.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>

#include "core/build_identity.hpp"

namespace ossau {
namespace {
namespace fs = std::filesystem;

fs::path program_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

struct Library {
  std::uintmax_t bytes = 0;
  std::ifstream in;

  bool ends_before(std::uint64_t offset, std::uint64_t size) const {
    return offset > bytes || size > bytes - offset;
  }
  template <class Header>
  bool read(std::uint64_t offset, Header& header) {
    in.seekg(static_cast<std::streamoff>(offset));
    return static_cast<bool>(in.read(reinterpret_cast<char*>(&header), sizeof header));
  }
};

// Every segment and section lies in the file.
bool is_whole(Library& library, const Elf64_Ehdr& header) {
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!library.read(header.e_phoff + i * sizeof segment, segment)) return false;
    if (segment.p_type == PT_LOAD && library.ends_before(segment.p_offset, segment.p_filesz)) {
      return false;
    }
  }
  return !library.ends_before(header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize);
}

// A file whose end was never written has zeros there, and so no names of sections.
bool names_sections(Library& library, const Elf64_Ehdr& header) {
  if (header.e_shnum == 0) return true;
  Elf64_Shdr names;
  return library.read(header.e_shoff + std::uint64_t{header.e_shstrndx} * sizeof names, names) &&
         names.sh_type == SHT_STRTAB;
}

// What a module of another build would be told, and tell, has other types and other arithmetic.
std::string why_foreign(void* handle, const fs::path& file, const char* identity) {
  const auto* shown = static_cast<const char* const*>(::dlsym(handle, kIdentitySymbol));
  if (shown == nullptr) return file.string() + " belongs to another version of Ossau";
  if (std::strcmp(*shown, identity) == 0) return "";
  return file.string() +
         " was built from other sources than this program (build or install both together)";
}

std::string join(const std::vector<fs::path>& folders) {
  std::string text;
  for (const fs::path& folder : folders) {
    text += (text.empty() ? "" : ", ") + folder.string();
  }
  return text;
}

}  // namespace

// The loader maps what the headers promise and is killed where the file ends before that, as after
// a disk ran full.  Anything else that is wrong it reports by itself.
std::string why_damaged(const fs::path& library) {
  std::error_code error;
  Library file{.bytes = fs::file_size(library, error),
               .in = std::ifstream(library, std::ios::binary)};
  Elf64_Ehdr header;
  if (error || !file.read(0, header)) return "";
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return "";
  if (!is_whole(file, header)) return "it is cut short";
  return names_sections(file, header) ? "" : "its end is missing";
}

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

LoadedModule load_module(const std::string& name, const char* identity) {
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
  if (const std::string damage = why_damaged(module.file); !damage.empty()) {
    module.why = fmt::format("{} cannot be loaded: {}", module.file.string(), damage);
    return module;
  }
  void* handle = ::dlopen(module.file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    module.why = fmt::format("{} cannot be loaded: {}", module.file.string(),
                             reason == nullptr ? "unknown reason" : reason);
    return module;
  }
  module.why = why_foreign(handle, module.file, identity);
  if (module.why.empty()) module.handle = handle;
  return module;
}

}  // namespace ossau
