#include "config/method_keys.hpp"

namespace ossau {

std::vector<std::string> keys_of_rules(const Config& config) {
  const OptimizerConfig& optimizer = config.optimizer;
  const TrainingConfig& training = config.training;
  const OptimizerConfig usual;
  std::vector<std::string> keys;
  const auto add = [&](bool is_set, const char* key) {
    if (is_set) keys.emplace_back(key);
  };
  add(optimizer.learning_rate.has_value(), "optimizer.learning_rate");
  add(optimizer.schedule != usual.schedule, "optimizer.schedule");
  add(optimizer.warmup_steps != usual.warmup_steps, "optimizer.warmup_steps");
  add(optimizer.momentum != usual.momentum, "optimizer.momentum");
  add(optimizer.nesterov != usual.nesterov, "optimizer.nesterov");
  add(optimizer.restart != usual.restart, "optimizer.restart");
  add(optimizer.l1_method != usual.l1_method, "optimizer.l1_method");
  add(training.epochs.has_value(), "training.epochs");
  add(training.batch_size.has_value(), "training.batch_size");
  add(training.early_stopping.has_value(), "training.early_stopping");
  return keys;
}

bool goes_to_optimum(const Config& config) {
  const Method method = config.optimizer.method;
  return is_solver(method) || (method == Method::kAuto && keys_of_rules(config).empty());
}

}  // namespace ossau
