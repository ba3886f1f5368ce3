#include "train/update_rule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "config/names.hpp"
#include "core/log.hpp"
#include "train/schedule.hpp"

namespace ossau {

Penalty make_penalty(const Config& config) {
  const bool proximal = config.optimizer.l1_method == L1Method::kProximal;
  return {.l1 = proximal ? config.model.l1 : 0,
          .l2 = *config.model.l2,
          .pseudo_huber = proximal ? 0 : config.model.l1,
          .delta = config.optimizer.pseudo_huber_delta};
}

UpdateRule choose_rule(const Config& config, Layout layout) {
  if (const auto rule = rule_of_method(name_of(config.optimizer.method))) return *rule;
  if (config.optimizer.restart == Restart::kAdaptive) return UpdateRule::kAdaptive;
  if (config.optimizer.momentum > 0) {
    return config.optimizer.nesterov ? UpdateRule::kNesterov : UpdateRule::kMomentum;
  }
  if (layout == Layout::kSparse && config.model.l1 == 0) return UpdateRule::kScaled;
  return UpdateRule::kDescent;
}

double first_learning_rate(const Config& config, UpdateRule rule, double lipschitz) {
  const double usual = traits_of(rule).usual_rate;
  return config.optimizer.learning_rate.value_or(
      usual > 0 ? usual : safe_learning_rate(lipschitz, make_penalty(config)));
}

void warn_of_dense_update(const Config& config, const PreparedData& data, UpdateRule rule) {
  const std::int64_t asked = *config.training.batch_size;
  const std::int64_t batch_rows =
      asked == TrainingConfig::kAllRows ? data.train_rows : std::min(asked, data.train_rows);
  const ModelRule model{.penalty = make_penalty(config)};
  if (data.layout != Layout::kSparse || keeps_untouched(rule, model, {})) return;
  const double entries = static_cast<double>(data.entries) / static_cast<double>(data.train_rows) *
                         static_cast<double>(batch_rows);
  const auto features = static_cast<double>(data.transform.columns());
  if (features <= 10 * entries) return;
  const bool sgd = config.optimizer.method == Method::kSgd;
  const std::string what = sgd ? "momentum, restart and L1"
                               : fmt::format("the steps of {}", name_of(config.optimizer.method));
  const char* const remedy = sgd                             ? "do without them"
                             : keeps_untouched(rule, {}, {}) ? "do without penalties"
                                                             : "take another optimizer.method";
  log_warning(fmt::format(
      "{} update all {:.0f} weights at every step, while a batch of {} rows has about {:.0f} "
      "entries: most of the time goes into the update (raise training.batch_size, or {})",
      what, features, batch_rows, entries, remedy));
}

}  // namespace ossau
