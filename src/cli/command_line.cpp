#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "config/suggest.hpp"
#include "ossau/error.hpp"
#include "ossau/ossau.hpp"

namespace ossau {
namespace {

constexpr const char* kFooter = R"(Examples:
  ossau train customers.csv --label left            results in runs/customers
  ossau config > clicks.yaml                        start from every key, commented
  ossau config --check clicks.yaml                  list every mistake at once
  ossau train clicks.yaml                           results in runs/clicks
  ossau train clicks.yaml model.l2=1e-3 run.overwrite=true
  ossau doctor                                      what this machine has, how fast it is

Exit codes:
  0   done
  1   internal error
  2   wrong usage or configuration, or training diverged
  3   data missing or unusable
  4   device or memory missing, or results cannot be written
  5   communication failed or a rank was lost
  75  interrupted with a checkpoint on disk: run again to go on)";

// CLI11 would only say that it expected a subcommand.
void check_first_argument(const CLI::App& program, const std::string& argument) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands({})) names.push_back(command->get_name());
  for (const CLI::Option* option : program.get_options()) {
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  if (std::find(names.begin(), names.end(), argument) != names.end()) return;
  const std::string meant = nearest(argument, names);
  throw ConfigError(fmt::format("unknown {} '{}' ({}see ossau --help)",
                                argument.starts_with('-') ? "option" : "command", argument,
                                meant.empty() ? "" : fmt::format("did you mean {}? ", meant)));
}

const CLI::App& chosen_command(const CLI::App& program) {
  const auto chosen = program.get_subcommands();
  return chosen.empty() ? program : *chosen.front();
}

std::string help_of(const CLI::App& program, CLI::AppFormatMode mode) {
  const CLI::App& command = chosen_command(program);
  const std::string name = &command == &program ? "" : program.get_name();
  return command.help(name, mode);
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App program("Trains logistic regression from a file to a model.", "ossau");
  program.set_version_flag("--version", "ossau " + version());
  program.get_formatter()->column_width(28);
  program.require_subcommand(1);
  program.footer(kFooter);
  add_train_command(program);
  add_config_command(program);
  add_doctor_command(program);

  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (arguments.empty()) {
    std::cerr << program.help();
    return static_cast<int>(ExitCode::kConfig);
  }
  check_first_argument(program, arguments.front());
  try {
    program.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(help_of(program, CLI::AppFormatMode::Normal));
  } catch (const CLI::CallForAllHelp&) {
    print(help_of(program, CLI::AppFormatMode::All));
  } catch (const CLI::CallForVersion& text) {
    print(std::string(text.what()) + "\n");
  } catch (const CLI::ParseError& error) {
    const CLI::App& command = chosen_command(program);
    const std::string name = &command == &program ? "ossau" : "ossau " + command.get_name();
    throw ConfigError(fmt::format("{} (see {} --help)", error.what(), name));
  }
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace ossau
