#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>

#include "house/dockerfile.hpp"
#include "house/project.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace fs = std::filesystem;
namespace {

const std::set<std::string> kKnown = {"ADD",  "ARG",        "CMD",   "COPY",   "ENTRYPOINT",
                                      "ENV",  "FROM",       "LABEL", "RUN",    "HEALTHCHECK",
                                      "USER", "STOPSIGNAL", "SHELL", "WORKDIR"};

bool holds(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The word behind `option`; empty where there is none.
std::string after(const Words& words, const std::string& option) {
  const auto found = std::find(words.begin(), words.end(), option);
  return found == words.end() || found + 1 == words.end() ? "" : *(found + 1);
}

std::optional<Words> exec_form(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.empty()) return std::nullopt;
  Words words;
  for (const auto& word : json) {
    if (!word.is_string()) return std::nullopt;
    words.push_back(word.get<std::string>());
  }
  return words;
}

// What the project offers to those who build it.
struct Offer {
  std::map<std::string, std::string> folders;  // of each configure preset
  std::set<std::string> build_presets;
  std::set<std::string> options;  // of CMake
  std::string version;
  std::string help;  // of the program
};

void read_presets(Offer& offer) {
  const auto json = nlohmann::json::parse(read_file(source_directory() / "CMakePresets.json"));
  for (const auto& preset : json.at("configurePresets")) {
    if (preset.value("hidden", false)) continue;
    const std::string name = preset.at("name");
    std::string folder = preset.value("binaryDir", "${sourceDir}/build/" + name);
    const std::string top = "${sourceDir}/";
    if (folder.starts_with(top)) folder.erase(0, top.size());
    offer.folders[name] = folder;
  }
  for (const auto& preset : json.at("buildPresets")) offer.build_presets.insert(preset.at("name"));
}

Offer read_offer(const std::string& program) {
  Offer offer;
  read_presets(offer);
  const std::regex option(R"(\boption\((\w+)|\bset\((\w+)[^\n]* CACHE )");
  const std::regex version(R"(project\(ossau VERSION ([0-9.]+))");
  for (const fs::path& file : project_files({"CMakeLists.txt", "cmake"})) {
    const std::string text = read_file(file);
    for (std::sregex_iterator it(text.begin(), text.end(), option), end; it != end; ++it) {
      offer.options.insert((*it)[1].matched ? (*it)[1] : (*it)[2]);
    }
    std::smatch match;
    if (std::regex_search(text, match, version)) offer.version = match[1];
  }
  offer.help = run_command("'" + program + "' --help").output;
  return offer;
}

class Reader {
 public:
  Reader(const std::string& ignored, Offer offer) : offer_(std::move(offer)) {
    for (std::string line : words_of(ignored)) {
      // Literal paths only, so that this test understands them as Docker does.
      if (line.find_first_of("*?[!#\\") != std::string::npos) {
        faults_.push_back(".dockerignore: " + line + " is not a plain path");
      }
      while (line.ends_with('/')) line.pop_back();
      ignored_.push_back(line);
    }
  }

  void read(const Instruction& instruction) {
    line_ = instruction.line;
    const std::string& body = instruction.body;
    if (kKnown.count(instruction.name) == 0) fault("unknown instruction " + instruction.name);
    if (body.empty()) fault(instruction.name + " says nothing");
    if (instruction.name == "ARG") read_argument(body);
    if (instruction.name == "FROM") read_from(body);
    if (instruction.name == "ADD") fault("ADD does more than it says; use COPY");
    if (instruction.name == "COPY") read_copy(words_of(body));
    if (instruction.name == "RUN") read_run(body);
    if (instruction.name == "USER") user_ = body;
    if (instruction.name == "WORKDIR") read_folder(body);
    if (instruction.name == "LABEL") labels_ += body;
    if (instruction.name == "ENV") environment_ += body + "\n";
    if (instruction.name == "HEALTHCHECK") read_health_check(body);
    if (instruction.name == "ENTRYPOINT") read_entry_point(body);
    if (instruction.name == "CMD") read_default_command(body);
  }

  std::vector<std::string> finish() {
    line_ = 0;
    if (stages_.empty()) fault("there is no FROM");
    const std::string name = user_.substr(0, user_.find(':'));
    if (name.empty() || name == "root" || name == "0") fault("the image would run as root");
    if (!is_healthy_) fault("there is no HEALTHCHECK");
    if (entry_.empty()) fault("there is no ENTRYPOINT");
    if (folder_.empty()) fault("there is no WORKDIR");
    if (labels_.find("version=\"" + offer_.version + "\"") == std::string::npos) {
      fault("the label of the version is not " + offer_.version);
    }
    return faults_;
  }

 private:
  void fault(const std::string& what) {
    faults_.push_back(line_ > 0 ? fmt::format("line {}: {}", line_, what) : what);
  }

  void read_argument(const std::string& body) {
    const std::size_t equals = body.find('=');
    const std::string name = body.substr(0, equals);
    if (equals != std::string::npos && stages_.empty()) {
      arguments_[name] = body.substr(equals + 1);
    } else if (equals == std::string::npos && arguments_.count(name) == 0) {
      fault("ARG " + name + " has no value");
    }
  }

  std::string with_arguments(std::string text) {
    static const std::regex variable(R"(\$\{(\w+)\})");
    for (std::smatch match; std::regex_search(text, match, variable);) {
      if (arguments_.count(match[1]) == 0) fault("ARG " + match.str(1) + " has no value");
      text = match.prefix().str() + arguments_[match[1]] + match.suffix().str();
    }
    return text;
  }

  // A new stage begins with nothing of the one before.
  void read_from(const std::string& body) {
    const Words words = words_of(with_arguments(body));
    static const std::regex pinned(R"([\w./-]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?)");
    const std::string image = words.empty() ? "" : words[0];
    if (stages_.count(image) == 0 && !std::regex_match(image, pinned)) {
      fault("the image " + image + " is not pinned to a version");
    }
    const bool named = words.size() == 3 && (words[1] == "AS" || words[1] == "as");
    stage_ = named ? words[2] : fmt::format("{}", stages_.size());
    stages_[stage_] = {};
    copied_.clear();
    folders_.clear();
    user_ = folder_ = labels_ = environment_ = "";
    entry_.clear();
    is_healthy_ = false;
  }

  void read_copy(const Words& words) {
    std::string from;
    Words paths;
    for (const std::string& word : words) {
      if (word.starts_with("--from=")) from = word.substr(word.find('=') + 1);
      if (!word.starts_with("--")) paths.push_back(word);
    }
    if (paths.size() < 2) return fault("COPY needs a source and a destination");
    paths.pop_back();
    if (from.empty()) {
      for (const std::string& path : paths) read_source(path);
    } else if (from == stage_ || stages_.count(from) == 0) {
      fault("there is no stage " + from + " above");
    } else {
      for (const std::string& path : paths) read_result(from, path);
    }
  }

  void read_source(const std::string& path) {
    if (!fs::exists(source_directory() / path)) fault(path + " does not exist");
    for (const std::string& pattern : ignored_) {
      if (path == "." || path == pattern || path.starts_with(pattern + "/")) {
        fault(fmt::format("{} is ignored or holds what is: .dockerignore has {}", path, pattern));
      }
    }
    copied_.insert(path);
  }

  // Of another stage only what it installed is known.
  void read_result(const std::string& from, const std::string& path) {
    const Words& prefixes = stages_[from];
    const bool known =
        std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
          return path == prefix || path.starts_with(fmt::format("{}/", prefix));
        });
    if (!known) fault(fmt::format("the stage {} installs nothing into {}", from, path));
  }

  void read_run(const std::string& body) {
    if (body.starts_with("[")) return read_command(exec_form(body).value_or(Words{}));
    const TemporaryDirectory folder;
    const fs::path script = folder.write("run.sh", body + "\n");
    for (const std::string shell : {"bash", "sh"}) {
      const CommandResult result = run_command(shell + " -n '" + script.string() + "'");
      if (result.exit_code != 0) fault(shell + " does not understand it: " + result.output);
    }
    installs_ = cleans_ = false;
    for (const Words& command : commands_of(body)) read_command(command);
    if (installs_ && !cleans_) fault("apt's lists stay in the image");
  }

  void read_command(const Words& command) {
    if (command.empty()) return fault("an empty command");
    const fs::path program = command[0];
    if (program == "cmake") read_cmake(command);
    if (program == "ossau") read_program(command);
    if (program.extension() == ".sh") read_script(program.filename(), command);
    if (program == "apt-get" && holds(command, "install")) {
      installs_ = true;
      cleans_ = false;
      if (!holds(command, "-y")) fault("apt-get install would ask");
      if (!holds(command, "--no-install-recommends")) fault("apt-get installs recommendations");
    }
    if (program == "rm" && holds(command, "/var/lib/apt/lists/*")) cleans_ = true;
  }

  void read_script(const fs::path& name, const Words& command) {
    const std::string path = (fs::path("scripts") / name).string();
    if (copied_.count(path) == 0) return fault(path + " is not copied into this stage");
    if (name == "install_dependencies.sh") {
      installs_ = true;
      cleans_ = false;
    }
    const CommandResult help = run_command("'" + path + "' --help");
    if (help.exit_code != 0) fault(path + " --help fails: " + help.output);
    const Words known = words_of(help.output);
    for (const std::string& word : command) {
      if (word.starts_with("-") && !holds(known, word)) {
        fault(fmt::format("{} does not know {}", path, word));
      }
    }
  }

  void read_cmake(const Words& command) {
    const std::string preset = after(command, "--preset");
    if (holds(command, "--build")) {
      if (offer_.build_presets.count(preset) == 0) fault("there is no build preset " + preset);
    } else if (holds(command, "--install")) {
      const std::string folder = after(command, "--install");
      if (folders_.count(folder) == 0) fault("nothing was configured in " + folder);
      stages_[stage_].push_back(after(command, "--prefix"));
    } else if (offer_.folders.count(preset) == 0) {
      fault("there is no preset " + preset);
    } else {
      folders_.insert(offer_.folders[preset]);
    }
    for (const std::string& word : command) {
      if (!word.starts_with("-D")) continue;
      const std::string option = word.substr(2, word.find('=') - 2);
      if (option.starts_with("CMAKE_") || offer_.options.count(option) > 0) continue;
      fault("CMake has no option " + option + " here");
    }
  }

  void read_folder(const std::string& body) {
    folder_ = body;
    if (!body.starts_with("/")) fault("WORKDIR " + body + " depends on what was before");
  }

  void read_health_check(const std::string& body) {
    is_healthy_ = true;
    const std::size_t command = body.find("CMD ");
    const auto words =
        exec_form(command == std::string::npos ? "" : trimmed(body.substr(command + 4)));
    if (!words) return fault("HEALTHCHECK is not in exec form");
    read_program(*words);
  }

  void read_entry_point(const std::string& body) {
    const auto words = exec_form(body);
    if (!words) return fault("ENTRYPOINT is not in exec form");
    entry_ = *words;
    if (entry_[0] != "ossau") fault("ENTRYPOINT is not the program");
  }

  void read_default_command(const std::string& body) {
    const auto words = exec_form(body);
    if (!words) return fault("CMD is not in exec form");
    Words whole = entry_;
    whole.insert(whole.end(), words->begin(), words->end());
    read_program(whole);
  }

  // ossau COMMAND ...: found by its name, and the command one that its help lists.
  void read_program(const Words& words) {
    if (words.empty() || words[0] != "ossau") return fault("not a call of the program");
    if (!std::regex_search(environment_, std::regex(R"(\bPATH=\S*/bin\b)"))) {
      fault("PATH does not lead to the program");
    }
    if (words.size() < 2) return;
    const std::regex line("(^|\n)  (-h,)?" + words[1] + " ");
    if (!std::regex_search(offer_.help, line)) fault("ossau has no command " + words[1]);
  }

  Offer offer_;
  Words ignored_;
  std::vector<std::string> faults_;
  int line_ = 0;
  std::map<std::string, std::string> arguments_;
  std::map<std::string, Words> stages_;  // and the prefixes that each installs to
  // Of the current stage:
  std::string stage_, user_, folder_, labels_, environment_;
  std::set<std::string> copied_;   // from the project
  std::set<std::string> folders_;  // configured by CMake
  Words entry_;
  bool is_healthy_ = false;
  // Of the current RUN:
  bool installs_ = false, cleans_ = false;
};

}  // namespace

std::vector<std::string> dockerfile_faults(const std::string& text, const std::string& ignored,
                                           const std::string& program) {
  Reader reader(ignored, read_offer(program));
  for (const Instruction& instruction : parse_dockerfile(text)) reader.read(instruction);
  return reader.finish();
}

}  // namespace ossau::test
