#pragma once

#include <string>
#include <vector>

namespace ossau::test {

using Words = std::vector<std::string>;

/// Without blanks at either end.
std::string trimmed(const std::string& text);

Words words_of(const std::string& text);

/// The simple commands of a shell line, one a list of words; quotes are left in.
std::vector<Words> commands_of(const std::string& body);

/// One instruction of a Dockerfile: continued lines joined, comments left out.
struct Instruction {
  int line = 0;      // where it starts, from 1
  std::string name;  // in capitals
  std::string body;  // what stands behind the name
};

std::vector<Instruction> parse_dockerfile(const std::string& text);

/// What is wrong with a Dockerfile of this project, as far as that shows without building it: one
/// sentence a fault, none if there is none.
/// text: the Dockerfile.  ignored: the content of .dockerignore.  program: the path of `ossau`,
/// which is asked for its commands.
std::vector<std::string> dockerfile_faults(const std::string& text, const std::string& ignored,
                                           const std::string& program);

}  // namespace ossau::test
