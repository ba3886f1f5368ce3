#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/self_test.hpp"
#include "cli/command_line.hpp"
#include "cli/output.hpp"
#include "ossau/error.hpp"
#include "ossau/ossau.hpp"
#include "report/doctor.hpp"
#include "report/plan.hpp"
#include "report/units.hpp"

namespace ossau {
namespace {

constexpr const char* kFooter =
    R"(Rates are medians measured now, with as many threads as a training would take; what else the
machine does lowers them. Fails with exit code 4 where the arithmetic self-test does.

--plan measures nothing but how fast this machine reads, and computes the rest (docs/scaling.md):
what a step of CONFIG would take on so many ranks, one a machine like this, and how much of it they
would spend on adding up. Rows and features are those of its data unless --rows and --features say.

Examples:
  ossau doctor
  ossau doctor --json > machine.json
  ossau doctor --plan clicks.yaml --ranks 64 --bandwidth 50GB/s --latency 20us
  ossau doctor --plan clicks.yaml training.batch_size=65536 --ranks 64 --bandwidth 25Gbit/s \
    --latency 50us --rows 1000000000 --features 1000 --read-bandwidth 100GB/s)";

constexpr std::int64_t kMostRanks = 65536;
constexpr std::int64_t kMostNumber = 1'000'000'000'000'000;

struct DoctorArguments {
  bool json = false;
  std::string plan;  // a configuration file
  std::vector<std::string> overrides;
  std::int64_t ranks = 0;
  std::string bandwidth;
  std::string latency;
  std::string read_bandwidth;
  std::optional<std::int64_t> rows;
  std::optional<std::int64_t> features;
  std::optional<double> entries;
};

void examine(bool json) {
  const Diagnosis diagnosis = diagnose();
  print(json ? doctor_json(diagnosis) : doctor_text(diagnosis));
  if (diagnosis.healthy()) return;
  throw DeviceError(fmt::format("cpu: the arithmetic self-test failed: {} ({})",
                                diagnosis.speed.self_test, kSelfTestRemedy));
}

PlanData plan_data(const DoctorArguments& arguments, const Config& config) {
  if (!arguments.rows) return read_plan_data(config);
  return {
      .rows = *arguments.rows, .features = *arguments.features, .entries_a_row = arguments.entries};
}

void plan(const DoctorArguments& arguments) {
  // What was typed is checked before anything takes time.
  PlanRequest request;
  request.network = {.latency_s = parse_seconds(arguments.latency, "--latency"),
                     .bytes_per_second = parse_rate(arguments.bandwidth, "--bandwidth")};
  request.reading_was_measured = arguments.read_bandwidth.empty();
  if (!request.reading_was_measured) {
    request.read_bytes_per_second = parse_rate(arguments.read_bandwidth, "--read-bandwidth");
  }
  const Config config = load_config(arguments.plan, arguments.overrides);
  request.ranks = arguments.ranks;
  request.most_ranks = config.training.virtual_shards;
  request.data_was_read = !arguments.rows;
  request.data = plan_data(arguments, config);
  const std::int64_t batch = config.training.batch_size.value_or(TrainingConfig::kUsualBatchSize);
  request.batch =
      batch == TrainingConfig::kAllRows ? request.data.rows : std::min(batch, request.data.rows);
  if (request.reading_was_measured) {
    request.read_bytes_per_second = diagnose().speed.read_all_bytes;
  }
  const Plan made = make_plan(request);
  print(arguments.json ? plan_json(made) : plan_text(made));
}

// Those of --plan make no sense without it, nor it without the three that describe the cluster.
void add_plan_options(CLI::App& command, DoctorArguments& arguments) {
  CLI::Option* asked = command.add_option("--plan", arguments.plan,
                                          "Predict what a step of this configuration would take");
  asked->type_name("CONFIG");
  const auto add = [&](const char* name, auto& value, const char* help, const char* type) {
    return command.add_option(name, value, help)->type_name(type)->needs(asked);
  };
  add("OVERRIDE", arguments.overrides, "section.key=value, with --plan", "");
  asked->needs(add("--ranks", arguments.ranks, "How many ranks", "NUMBER")
                   ->check(CLI::Range(std::int64_t{1}, kMostRanks)));
  asked->needs(
      add("--bandwidth", arguments.bandwidth, "Of one rank's network: 50GB/s, 25Gbit/s", "RATE"));
  asked->needs(add("--latency", arguments.latency, "Of one message: 20us", "TIME"));
  add("--read-bandwidth", arguments.read_bandwidth,
      "How fast a rank reads its memory; measured here if not given", "RATE");
  const CLI::Range count(std::int64_t{1}, kMostNumber);
  CLI::Option* rows =
      add("--rows", arguments.rows, "Training rows, instead of reading the data", "NUMBER");
  CLI::Option* features = add("--features", arguments.features, "Their features", "NUMBER");
  rows->check(count)->needs(features);
  features->check(count)->needs(rows);
  add("--entries", arguments.entries, "Entries that each row stores, where they are sparse",
      "NUMBER")
      ->check(CLI::PositiveNumber)
      ->needs(rows);
}

}  // namespace

void add_doctor_command(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("doctor", "Show what this machine has and how fast it is.");
  const auto arguments = std::make_shared<DoctorArguments>();
  command->add_flag("--json", arguments->json, "Print JSON instead of text");
  add_plan_options(*command, *arguments);
  command->footer(kFooter);
  command->callback([arguments] {
    if (arguments->plan.empty()) {
      examine(arguments->json);
    } else {
      plan(*arguments);
    }
  });
}

}  // namespace ossau
