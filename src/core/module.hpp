#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ossau {

/// What came of loading a module: a shared library beside the program, loaded when it is wanted.
/// It stays for the rest of the process.
struct LoadedModule {
  void* handle = nullptr;      // null: not loaded
  std::filesystem::path file;  // what was loaded or could not be
  std::string why;             // not loaded, in words; empty where it is

  /// Null where there is none of this name.
  void* symbol(const char* name) const;
};

/// Where modules may be: in the folder that the environment variable OSSAU_MODULE_DIRECTORY names
/// and nowhere else, or, where it is not set, beside the program and where an installation has
/// them.
std::vector<std::filesystem::path> module_folders();

/// What is wrong with a library, where that would end the process in the loader; empty where
/// nothing is seen.  Looks at the headers alone.
std::string why_damaged(const std::filesystem::path& library);

/// Loads lib`name`.so from the first of these folders that has it.  identity: kBuildIdentity; a
/// module that shows another one, or none, is not loaded.
LoadedModule load_module(const std::string& name, const char* identity);

}  // namespace ossau
