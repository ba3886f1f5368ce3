#include "config/check.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <string>
#include <utility>

#include "config/names.hpp"
#include "config/problems.hpp"
#include "config/read.hpp"
#include "config/write.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

using Findings = std::vector<Finding>;

void error(Findings& findings, std::vector<std::string> keys, std::string text) {
  findings.push_back({true, std::move(keys), std::move(text)});
}

void warning(Findings& findings, std::vector<std::string> keys, std::string text) {
  findings.push_back({false, std::move(keys), std::move(text)});
}

bool differs(const CsvConfig& csv) {
  const CsvConfig usual;
  return csv.delimiter != usual.delimiter || csv.header != usual.header || csv.label != usual.label;
}

void check_data(const DataConfig& data, Findings& findings) {
  if (data.train.empty()) {
    error(findings, {"data.train"}, "required (name the file to learn from)");
  }
  if (!data.validation.empty() && data.validation_fraction > 0) {
    error(findings, {"data.validation_fraction", "data.validation"},
          "both validation rows and a share to hold out are given (keep one)");
  }
  if (data.format == Format::kLibsvm) {
    if (data.weight) {
      error(findings, {"data.weight", "data.format"},
            "a LIBSVM file has no columns with names (remove it, or use CSV)");
    }
    if (differs(data.csv)) {
      warning(findings, {"data.csv", "data.format"}, "ignored: data.format is libsvm");
    }
  }
  if (data.format == Format::kCsv && data.zero_based) {
    warning(findings, {"data.zero_based", "data.format"}, "ignored: data.format is csv");
  }
}

struct ScheduleParameter {
  std::string key;
  bool is_given;  // not at its default
  bool is_used;
};

void check_schedule(const OptimizerConfig& optimizer, Findings& findings) {
  const OptimizerConfig usual;
  const Schedule schedule = optimizer.schedule;
  const ScheduleParameter parameters[] = {
      {"decay", optimizer.decay != usual.decay,
       schedule == Schedule::kInverse || schedule == Schedule::kInverseSqrt},
      {"final_fraction", optimizer.final_fraction != usual.final_fraction,
       schedule == Schedule::kCosine},
      {"step_epochs", optimizer.step_epochs != usual.step_epochs, schedule == Schedule::kStep},
      {"step_factor", optimizer.step_factor != usual.step_factor, schedule == Schedule::kStep}};
  for (const ScheduleParameter& parameter : parameters) {
    if (!parameter.is_given || parameter.is_used) continue;
    warning(findings, {"optimizer." + parameter.key, "optimizer.schedule"},
            fmt::format("ignored: optimizer.schedule is {}", name_of(schedule)));
  }
}

void check_momentum(const Config& config, Findings& findings) {
  const OptimizerConfig& optimizer = config.optimizer;
  const bool adaptive = optimizer.restart == Restart::kAdaptive;
  if (optimizer.nesterov && !adaptive && !(optimizer.momentum > 0)) {
    error(findings, {"optimizer.nesterov", "optimizer.momentum"},
          "needs optimizer.momentum above 0 (0.9 is usual)");
  }
  if (!adaptive) return;
  if (optimizer.momentum != 0 || optimizer.nesterov) {
    const std::string key = optimizer.momentum != 0 ? "momentum" : "nesterov";
    warning(findings, {"optimizer." + key, "optimizer.restart"},
            "ignored: restart adaptive uses Nesterov's own growing momentum");
  }
  if (config.training.batch_size != TrainingConfig::kAllRows) {
    warning(findings, {"optimizer.restart", "training.batch_size"},
            "adaptive is made for full batches and may not converge on noisy gradients (set "
            "training.batch_size: all)");
  }
}

void check_optimizer(const OptimizerConfig& optimizer, Findings& findings) {
  check_schedule(optimizer, findings);
  if (optimizer.pseudo_huber_delta != OptimizerConfig{}.pseudo_huber_delta &&
      optimizer.l1_method != L1Method::kPseudoHuber) {
    warning(findings, {"optimizer.pseudo_huber_delta", "optimizer.l1_method"},
            "ignored: optimizer.l1_method is proximal");
  }
}

void check_training(const Config& config, Findings& findings) {
  const std::int64_t shards = config.training.virtual_shards;
  if (shards >= 1 && !std::has_single_bit(static_cast<std::uint64_t>(shards))) {
    const std::uint64_t below = std::bit_floor(static_cast<std::uint64_t>(shards));
    error(findings, {"training.virtual_shards"},
          fmt::format("{} is not a power of two (use {} or {})", shards, below, 2 * below));
  } else if (config.run.ranks.value_or(1) > shards) {
    error(findings, {"run.ranks", "training.virtual_shards"},
          fmt::format("{} ranks, but training.virtual_shards is {} (use at most {} ranks, or raise "
                      "training.virtual_shards, which changes the batch order)",
                      *config.run.ranks, shards, shards));
  }
  const DataConfig& data = config.data;
  const bool validates = !data.validation.empty() || data.validation_fraction > 0;
  if (config.training.early_stopping && !validates) {
    error(findings, {"training.early_stopping", "data.validation", "data.validation_fraction"},
          "needs rows to measure on (set data.validation or data.validation_fraction)");
  }
}

void check_run(const RunConfig& run, Findings& findings) {
  if (run.device != Device::kCpu) return;
  if (run.device_memory) {
    warning(findings, {"run.device_memory", "run.device"}, "ignored: run.device is cpu");
  }
}

}  // namespace

std::vector<Finding> check_config(const Config& config) {
  Findings findings;
  check_data(config.data, findings);
  check_momentum(config, findings);
  check_optimizer(config.optimizer, findings);
  check_training(config, findings);
  check_run(config.run, findings);
  return findings;
}

void validate_config(const Config& config) {
  Problems problems;
  const Place nowhere{"configuration", 0};
  Config read_back;
  Node values = config_node(config);
  const auto name_places = [&nowhere](auto& self, Node& node) -> void {
    node.place = nowhere;
    for (Node& item : node.items) self(self, item);
    for (Entry& entry : node.entries) self(self, entry.value);
  };
  name_places(name_places, values);
  read_fields(values, read_back, problems);
  for (const Finding& finding : check_config(config)) {
    if (finding.is_error && !problems.touch(finding.keys.front())) {
      problems.add(nowhere, finding.keys.front(), finding.text);
    }
  }
  problems.throw_if_any("the configuration");
}

void check_processes(const Config& config, std::int64_t processes) {
  const std::int64_t shards = config.training.virtual_shards;
  if (processes <= shards) return;
  throw ConfigError(fmt::format(
      "training.virtual_shards: {} processes share {} virtual shards, and each needs one (start at "
      "most {} processes, or raise training.virtual_shards, which changes the batch order)",
      processes, shards, shards));
}

}  // namespace ossau
