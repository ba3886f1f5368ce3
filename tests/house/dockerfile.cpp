#include "house/dockerfile.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace ossau::test {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

Words words_of(const std::string& text) {
  std::istringstream in(text);
  Words words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<Words> commands_of(const std::string& body) {
  std::vector<Words> commands(1);
  for (const std::string& word : words_of(body)) {
    if (word == "&&" || word == "||" || word == "|" || word == ";") {
      commands.emplace_back();
    } else {
      commands.back().push_back(word);
    }
  }
  return commands;
}

std::vector<Instruction> parse_dockerfile(const std::string& text) {
  std::vector<Instruction> instructions;
  std::istringstream in(text);
  bool continued = false;
  int number = 0;
  for (std::string raw; std::getline(in, raw);) {
    ++number;
    std::string line = trimmed(raw);
    if (line.empty() || line[0] == '#') continue;  // within an instruction too
    const bool goes_on = line.ends_with('\\');
    if (goes_on) line = trimmed(line.substr(0, line.size() - 1));
    if (continued) {
      instructions.back().body += " " + line;
    } else {
      const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
      std::string name = line.substr(0, end);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      instructions.push_back({number, name, trimmed(line.substr(end))});
    }
    continued = goes_on;
  }
  return instructions;
}

}  // namespace ossau::test
