#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/output.hpp"
#include "config/emit.hpp"
#include "ossau/error.hpp"
#include "ossau/ossau.hpp"
#include "report/run.hpp"

namespace ossau {
namespace {

struct TrainArguments {
  std::string file;
  std::string label;
  std::string init;
  std::vector<std::string> overrides;
};

constexpr const char* kFooter =
    R"(Overrides win over the file, the later over the earlier. Values are YAML; quote them for the shell.
Relative paths start at the current directory. Results go to run.directory, by default
runs/NAME for NAME.yaml or NAME.csv. Ctrl-C, SIGTERM or SIGUSR1 ends a training after the step in hand, with a
checkpoint, and the same command goes on from there; a second Ctrl-C ends it at once.

Examples:
  ossau train customers.csv --label left
  ossau train customers_of_may.csv --label left --init runs/customers/model.safetensors
  ossau train configs/quickstart.yaml
  ossau train clicks.yaml training.epochs=50 training.batch_size=all
  ossau train clicks.yaml 'data.train=[january.csv, february.csv]' run.directory=runs/winter
  ossau train clicks.yaml 'model.class_weight={yes: 5, no: 1}' run.overwrite=true)";

}  // namespace

void add_train_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("train", "Train a model on a file, or as a configuration says.");
  const auto arguments = std::make_shared<TrainArguments>();
  command
      ->add_option("FILE", arguments->file,
                   "rows to learn from (CSV, TSV, LIBSVM; .gz, .zst), or YAML (see ossau config)")
      ->required()
      ->type_name("");
  command
      ->add_option("--label", arguments->label,
                   "the column to learn: short for data.csv.label=NAME")
      ->type_name("NAME");
  command
      ->add_option("--init", arguments->init,
                   "a model to start from: short for training.init=MODEL")
      ->type_name("MODEL");
  command->add_option("OVERRIDE", arguments->overrides, "section.key=value, any number of them")
      ->type_name("");
  command->footer(kFooter);
  command->callback([arguments] {
    std::vector<std::string> overrides;
    const auto set = [&](const char* key, const std::string& value) {
      if (!value.empty()) overrides.push_back(key + ("=" + scalar_yaml(text_node(value))));
    };
    set("data.csv.label", arguments->label);
    set("training.init", arguments->init);
    overrides.insert(overrides.end(), arguments->overrides.begin(), arguments->overrides.end());
    const Config config = load_config(arguments->file, overrides);
    const Summary summary = train_and_show(config, std::cout);
    flush_output();
    if (!config.training.require_convergence || !summary.convergence) return;
    if (!summary.convergence->converged) {
      throw ConfigError(fmt::format(
          "training.require_convergence: the optimum was not reached within training.gap "
          "(the results are in {})",
          summary.run_directory));
    }
  });
}

}  // namespace ossau
