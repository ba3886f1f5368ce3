#include <regex>
#include <set>
#include <sstream>

#include "house/project.hpp"
#include "recipes/manifest_faults.hpp"
#include "recipes/program_facts.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {

// Of sbatch: slurm.schedmd.com/sbatch.html.
const std::set<std::string> kOptions = {
    "--account",   "--constraint", "--cpus-per-task", "--exclusive", "--gpus-per-node",
    "--job-name",  "--mem",        "--nodes",         "--ntasks",    "--ntasks-per-node",
    "--open-mode", "--output",     "--partition",     "--qos",       "--requeue",
    "--signal",    "--time"};
// What Slurm tells a batch script and its tasks.
const std::set<std::string> kTold = {"SLURM_CPUS_PER_TASK", "SLURM_JOB_ID", "SLURM_JOB_NODELIST",
                                     "SLURM_LOCALID",       "SLURM_NTASKS", "SLURM_PROCID"};

std::vector<std::string> all_matches(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    found.push_back((*it)[1]);
  }
  return found;
}

// `export A B` and `export A=1 B=2`.
std::vector<std::string> exported(const std::string& text) {
  static const std::regex names(R"(\bexport((?: [A-Z_]+(?:=[^\s;]*)?)+))");
  static const std::regex name(R"(([A-Z_]+)(?:=[^\s;]*)?)");
  std::vector<std::string> all;
  for (const std::string& list : all_matches(text, names)) {
    const std::vector<std::string> some = all_matches(list, name);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void expect_understood(std::vector<std::string>& faults, const std::string& text) {
  const TemporaryDirectory folder;
  const std::string file = folder.write("recipe.sbatch", text).string();
  std::vector<std::string> checks = {"bash -n"};
  if (has_program("shellcheck")) checks.emplace_back("shellcheck");
  for (const std::string& check : checks) {
    const CommandResult result = run_command(check + " '" + file + "'");
    if (result.exit_code != 0) faults.push_back(check + ": " + result.output);
  }
}

void expect_options(std::vector<std::string>& faults, const std::string& text) {
  std::istringstream lines(text);
  bool commands_began = false;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with('#')) commands_began = true;
    if (!line.starts_with("#SBATCH")) continue;
    const std::string option =
        line.substr(0, line.find('=')).substr(std::string("#SBATCH ").size());
    if (commands_began) faults.push_back(option + " comes after a command, where sbatch stops");
    if (!kOptions.contains(option)) faults.push_back("sbatch has no option " + option);
  }
  static const std::regex signal("\n#SBATCH --signal=TERM@[0-9]+\n");
  if (!std::regex_search(text, signal)) faults.emplace_back("no rank gets SIGTERM in time");
}

}  // namespace

std::vector<std::string> slurm_faults(const std::string& text) {
  std::vector<std::string> faults = unread(exported(text));
  expect_understood(faults, text);
  expect_options(faults, text);
  static const std::regex told(R"(\b(SLURM_\w+))");
  for (const std::string& variable : all_matches(text, told)) {
    if (!kTold.contains(variable)) faults.push_back("Slurm does not set " + variable);
  }
  return faults;
}

std::vector<std::string> call_faults(const std::string& text, const std::string& program) {
  // Lists of YAML and continued lines of the shell as words of one line.
  std::string joined = std::regex_replace(text, std::regex(R"(\\\n\s*)"), " ");
  joined = std::regex_replace(joined, std::regex(",\\s+"), " ");
  static const std::regex call(R"(\btrain ([\w./-]+\.yaml)((?:\s+[a-z_.]+=[^\s\]|&;`]+)*))");
  std::vector<std::string> faults;
  int calls = 0;
  for (std::sregex_iterator it(joined.begin(), joined.end(), call), end; it != end; ++it) {
    ++calls;
    const CommandResult result =
        run_command("'" + program + "' config --check " + it->str(1) + it->str(2));
    if (result.exit_code != 0) faults.push_back(it->str() + ": " + result.output);
  }
  if (calls == 0) faults.emplace_back("does not call the program");
  return faults;
}

}  // namespace ossau::test
