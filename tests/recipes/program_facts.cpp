#include "recipes/program_facts.hpp"

#include <regex>
#include <set>

#include "house/project.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {

// Words in capitals between quotes: names of variables, and a few things that no recipe sets.
std::set<std::string> names_in_sources() {
  static const std::regex name("\"([A-Z][A-Z0-9_]+)\"");
  std::set<std::string> names;
  for (const auto& file : project_files({"src"}, {".cpp"})) {
    const std::string text = read_file(source_directory() / file);
    for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) {
      names.insert((*it)[1]);
    }
  }
  return names;
}

}  // namespace

bool is_read(const std::string& variable) {
  static const std::set<std::string> names = names_in_sources();
  return names.contains(variable) || variable.starts_with("OMPI_") || variable.starts_with("NCCL_");
}

std::vector<std::string> unread(const std::vector<std::string>& variables) {
  std::vector<std::string> faults;
  for (const std::string& variable : variables) {
    if (!is_read(variable)) faults.push_back(variable + " is read by nobody");
  }
  return faults;
}

}  // namespace ossau::test
