#include "train/update_rule.hpp"

#include <fmt/format.h>

#include "core/log.hpp"

namespace ossau {

Penalty make_penalty(const Config& config) {
  const bool proximal = config.optimizer.l1_method == L1Method::kProximal;
  return {.l1 = proximal ? config.model.l1 : 0,
          .l2 = config.model.l2,
          .pseudo_huber = proximal ? 0 : config.model.l1,
          .delta = config.optimizer.pseudo_huber_delta};
}

UpdateRule choose_rule(const Config& config, Layout layout) {
  if (config.optimizer.restart == Restart::kAdaptive) return UpdateRule::kAdaptive;
  if (config.optimizer.momentum > 0) {
    return config.optimizer.nesterov ? UpdateRule::kNesterov : UpdateRule::kMomentum;
  }
  if (layout == Layout::kSparse && config.model.l1 == 0) return UpdateRule::kScaled;
  return UpdateRule::kDescent;
}

void warn_of_dense_update(const PreparedData& data, UpdateRule rule, std::int64_t batch_rows) {
  if (data.layout != Layout::kSparse || rule == UpdateRule::kScaled) return;
  const double entries = static_cast<double>(data.entries) / static_cast<double>(data.train_rows) *
                         static_cast<double>(batch_rows);
  const auto features = static_cast<double>(data.transform.columns());
  if (features <= 10 * entries) return;
  log_warning(fmt::format(
      "momentum, restart and L1 update all {:.0f} weights at every step, while a batch of {} rows "
      "has about {:.0f} entries: most of the time goes into the update (raise "
      "training.batch_size, or do without them)",
      features, batch_rows, entries));
}

}  // namespace ossau
