#pragma once

#include <CLI/App.hpp>

namespace ossau {

/// Runs the command that `argc` and `argv` name and returns the process's exit code.
/// Throws what the command throws; wrong usage is a ConfigError.
int run_command_line(int argc, const char* const* argv);

/// Each command adds itself to the program; its action runs while `program` parses.
void add_train_command(CLI::App& program);
void add_config_command(CLI::App& program);
void add_doctor_command(CLI::App& program);

}  // namespace ossau
