#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "backend/cpu/self_test.hpp"
#include "cli/command_line.hpp"
#include "cli/output.hpp"
#include "ossau/error.hpp"
#include "report/doctor.hpp"

namespace ossau {
namespace {

constexpr const char* kFooter =
    R"(Rates are medians measured now, with as many threads as a training would take; what else the
machine does lowers them. Fails with exit code 4 where the arithmetic self-test does.

Examples:
  ossau doctor
  ossau doctor --json > machine.json)";

}  // namespace

void add_doctor_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("doctor", "Show what this machine has and how fast it is.");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON instead of text");
  command->footer(kFooter);
  command->callback([json] {
    const Diagnosis diagnosis = diagnose();
    print(*json ? doctor_json(diagnosis) : doctor_text(diagnosis));
    if (diagnosis.healthy()) return;
    throw DeviceError(fmt::format("cpu: the arithmetic self-test failed: {} ({})",
                                  diagnosis.speed.self_test, kSelfTestRemedy));
  });
}

}  // namespace ossau
