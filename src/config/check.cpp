#include "config/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/method_keys.hpp"
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

// By their keys; the rest at its default, since texts of other sections may not be UTF-8.
std::map<std::string, std::string> values_of(const OptimizerConfig& optimizer) {
  Config config;
  config.optimizer = optimizer;
  return config_values(config);
}

// A solver's findings name every key of a rule.
bool is_rule_of_its_own(Method method) {
  return method != Method::kSgd && method != Method::kAuto && !is_solver(method);
}

// Keys of sgd under another method, and those in the section of a method that was not chosen.
void check_method(const OptimizerConfig& optimizer, Findings& findings) {
  const std::string_view chosen = name_of(optimizer.method);
  std::vector<std::string> ignored;
  for (const std::string_view method : kMethodNames) {
    if (method != chosen) ignored.push_back(fmt::format("optimizer.{}.", method));
  }
  if (is_rule_of_its_own(optimizer.method)) {
    for (const char* key : {"momentum", "nesterov", "restart"}) {
      ignored.push_back(fmt::format("optimizer.{}", key));
    }
  }
  const auto usual = values_of(OptimizerConfig{});
  for (const auto& [key, value] : values_of(optimizer)) {
    const std::string_view whole = key;
    const bool counts = std::any_of(ignored.begin(), ignored.end(), [whole](const auto& start) {
      return whole.starts_with(start);
    });
    if (!counts || usual.at(key) == value) continue;
    warning(findings, {key, "optimizer.method"},
            fmt::format("ignored: optimizer.method is {}", chosen));
  }
}

void check_momentum(const Config& config, Findings& findings) {
  const OptimizerConfig& optimizer = config.optimizer;
  if (optimizer.method != Method::kSgd && optimizer.method != Method::kAuto) return;
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
  if (config.training.batch_size.value_or(TrainingConfig::kUsualBatchSize) !=
      TrainingConfig::kAllRows) {
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

// Keys of rules under a solver, and the other way round.
void check_solver(const Config& config, Findings& findings) {
  const Method method = config.optimizer.method;
  const std::string chosen = fmt::format("ignored: optimizer.method is {}", name_of(method));
  if (is_solver(method)) {
    for (const std::string& key : keys_of_rules(config)) {
      warning(findings, {key, "optimizer.method"}, chosen);
    }
    if (config.model.l1 > 0 && method == Method::kGramLbfgs) {
      error(findings, {"optimizer.method", "model.l1"},
            "gram_lbfgs knows no L1 penalty (use auto, proximal_newton or newton_cg)");
    }
    if (method == Method::kProximalNewton && config.model.l1 == 0) {
      error(findings, {"optimizer.method", "model.l1"},
            "proximal_newton is for an L1 penalty (set model.l1, or use auto or gram_lbfgs)");
    }
  }
}

// What ends a training by a rule under a solver, and the other way round.
void check_ends(const Config& config, Findings& findings) {
  const Method method = config.optimizer.method;
  const TrainingConfig& training = config.training;
  const TrainingConfig usual;
  const bool solves = goes_to_optimum(config);
  if (solves && training.tolerance != usual.tolerance) {
    warning(findings, {"training.tolerance", "optimizer.method"},
            "ignored: a solver ends by training.gap");
  }
  if (solves && training.evaluate_every != usual.evaluate_every) {
    warning(findings, {"training.evaluate_every", "optimizer.method"},
            "ignored: a solver looks at validation rows at its end");
  }
  if (!is_solver(method) && method != Method::kAuto && training.max_passes != usual.max_passes) {
    warning(findings, {"training.max_passes", "optimizer.method"},
            fmt::format("ignored: optimizer.method is {}", name_of(method)));
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
  check_method(config.optimizer, findings);
  check_momentum(config, findings);
  check_optimizer(config.optimizer, findings);
  check_solver(config, findings);
  check_ends(config, findings);
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
