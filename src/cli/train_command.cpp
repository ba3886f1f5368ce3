#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/output.hpp"
#include "ossau/ossau.hpp"
#include "report/run.hpp"

namespace ossau {
namespace {

struct TrainArguments {
  std::string config;
  std::vector<std::string> overrides;
};

constexpr const char* kFooter =
    R"(Overrides win over the file, the later over the earlier. Values are YAML; quote them for the shell.
Relative paths start at the current directory. Results go to run.directory, by default
runs/NAME for NAME.yaml. Ctrl-C, SIGTERM or SIGUSR1 ends a training after the step in hand, with a
checkpoint, and the same command goes on from there; a second Ctrl-C ends it at once.

Examples:
  ossau train configs/quickstart.yaml
  ossau train clicks.yaml training.epochs=50 training.batch_size=all
  ossau train clicks.yaml 'data.train=[january.csv, february.csv]' run.directory=runs/winter
  ossau train clicks.yaml 'model.class_weight={yes: 5, no: 1}' run.overwrite=true)";

}  // namespace

void add_train_command(CLI::App& program) {
  CLI::App* command = program.add_subcommand("train", "Train a model as a configuration says.");
  const auto arguments = std::make_shared<TrainArguments>();
  command->add_option("CONFIG", arguments->config, "YAML file (see ossau config)")
      ->required()
      ->type_name("");
  command->add_option("OVERRIDE", arguments->overrides, "section.key=value, any number of them")
      ->type_name("");
  command->footer(kFooter);
  command->callback([arguments] {
    train_and_show(load_config(arguments->config, arguments->overrides), std::cout);
    flush_output();
  });
}

}  // namespace ossau
