#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/output.hpp"
#include "config/write.hpp"
#include "ossau/error.hpp"
#include "ossau/ossau.hpp"

namespace ossau {
namespace {

struct ConfigArguments {
  std::string file;
  std::vector<std::string> overrides;
};

constexpr const char* kFooter = R"(Examples:
  ossau config                                   every key, its default, its meaning
  ossau config > clicks.yaml                     a file to start from
  ossau config --check clicks.yaml               every mistake at once; no data is read
  ossau config --check clicks.yaml model.l2=0.1  the same with an override)";

}  // namespace

void add_config_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("config", "Print the default configuration, or check one.");
  const auto arguments = std::make_shared<ConfigArguments>();
  CLI::Option* check =
      command->add_option("--check", arguments->file, "Check this file instead of printing")
          ->type_name("FILE");
  command->add_option("OVERRIDE", arguments->overrides, "section.key=value, checked with FILE")
      ->type_name("");
  command->footer(kFooter);
  command->callback([arguments, check] {
    if (check->empty() && !arguments->overrides.empty()) {
      throw ConfigError(fmt::format("'{}': nothing to override (add --check FILE)",
                                    arguments->overrides.front()));
    }
    if (check->empty()) {
      print(default_config_yaml());
    } else {
      load_config(arguments->file, arguments->overrides);
      print(fmt::format("{}: no mistakes\n", arguments->file));
    }
  });
}

}  // namespace ossau
