#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ossau::test {

/// Every file of the project whose path (relative to the top folder) starts with one of `folders`
/// and whose extension is one of `extensions` (any when empty), sorted.
std::vector<std::filesystem::path> project_files(const std::vector<std::string>& folders,
                                                 const std::vector<std::string>& extensions = {});

std::vector<std::string> lines_of(const std::filesystem::path& file);

/// C++ text with the content of comments and string literals blanked; lines stay where they are.
std::string code_only(const std::string& text);

struct CommandResult {
  int exit_code = 0;
  std::string output;  // standard output and error together
};

/// Runs a shell command in the project's top folder.
CommandResult run_command(const std::string& command);

/// True where a program of this name can be run.
bool has_program(const std::string& name);

}  // namespace ossau::test
