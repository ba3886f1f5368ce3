#include "house/project.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <stdexcept>

#include "support/files.hpp"

namespace ossau::test {
namespace fs = std::filesystem;
namespace {

// Skips a string literal that opens at `at`; returns the place after it.
std::size_t after_literal(const std::string& text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote && text[at] != '\n'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// Skips a comment that opens at `at`; returns the place after it, before the line's end.
std::size_t after_comment(const std::string& text, std::size_t at) {
  const bool block = text[at + 1] == '*';
  const std::size_t end = text.find(block ? "*/" : "\n", at + 2);
  if (end == std::string::npos) return text.size();
  return block ? end + 2 : end;
}

bool opens_comment(const std::string& text, std::size_t at) {
  return text[at] == '/' && at + 1 < text.size() && (text[at + 1] == '/' || text[at + 1] == '*');
}

// 1'000'000 is a number, not the start of a character.
bool opens_literal(const std::string& text, std::size_t at) {
  if (text[at] == '"') return true;
  return text[at] == '\'' && (at == 0 || isalnum(static_cast<unsigned char>(text[at - 1])) == 0);
}

}  // namespace

std::vector<fs::path> project_files(const std::vector<std::string>& folders,
                                    const std::vector<std::string>& extensions) {
  std::vector<fs::path> files;
  for (const std::string& folder : folders) {
    const fs::path top = source_directory() / folder;
    if (!fs::exists(top)) continue;
    if (fs::is_regular_file(top)) {
      files.push_back(top);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(top)) {
      const std::string extension = entry.path().extension().string();
      const bool wanted = extensions.empty() || std::find(extensions.begin(), extensions.end(),
                                                          extension) != extensions.end();
      if (entry.is_regular_file() && wanted) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::istringstream text(read_file(file));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::string code_only(const std::string& text) {
  std::string code = text;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    if (opens_comment(text, at)) {
      end = after_comment(text, at);
    } else if (opens_literal(text, at)) {
      end = after_literal(text, at);
    }
    for (std::size_t i = at; i < end; ++i) {
      if (code[i] != '\n') code[i] = ' ';
    }
    at = std::max(end, at + 1);
  }
  return code;
}

CommandResult run_command(const std::string& command) {
  const std::string in_folder = "cd '" + source_directory().string() + "' && { " + command + "; }";
  FILE* pipe = popen(("exec 2>&1; " + in_folder).c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  CommandResult result;
  char buffer[4096];
  for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    result.output.append(buffer, n);
  }
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

bool has_program(const std::string& name) {
  return run_command("command -v " + name + " > /dev/null").exit_code == 0;
}

}  // namespace ossau::test
