#include "train/warnings.hpp"

#include <fmt/format.h>

#include <cmath>

#include "config/method_keys.hpp"
#include "config/names.hpp"
#include "core/first_names.hpp"
#include "train/evaluation.hpp"

namespace ossau {
namespace {

using Warnings = std::vector<std::string>;

bool has_no_penalty(const Config& config) { return config.model.l1 == 0 && *config.model.l2 == 0; }

// Why no weights are best; empty where some are.
std::string separation(const WarningFacts& facts, const Config& config, const Summary& summary) {
  if (!has_no_penalty(config)) return "";
  if (!facts.separating.empty()) {
    return fmt::format(
        "model.l2: 0: separation by {}: no row of one class has a larger value there than a row of "
        "the "
        "other, so its weight grows without bound and no optimum exists (set model.l2: auto, leave "
        "the "
        "column out, or merge the category with another)",
        first_names(facts.separating));
  }
  const Metrics& train = summary.train;
  const bool parted = train.false_positives == 0 && train.false_negatives == 0;
  // Without an intercept the cut goes through 0 or it is no weight that could grow.
  if (!parted || !(config.model.intercept || config.model.threshold == 0.5)) return "";
  return "model.l2: 0: the columns together separate the classes completely: the weights grow "
         "without bound and no optimum exists (set model.l2: auto)";
}

std::string distance(const Convergence& reached) {
  if (!std::isfinite(reached.gap)) return "how far the objective is above its minimum is not known";
  return fmt::format("the objective may be {:.1e} of its minimum above it ({})", reached.gap,
                     reached.certified ? "certified" : "estimated");
}

void warn_of_gap(const Config& config, const Summary& summary, Warnings& warnings) {
  const Convergence& reached = *summary.convergence;
  if (reached.converged) return;
  if (summary.stop_reason == "passes") {
    warnings.push_back(fmt::format(
        "training.max_passes: {} {} too few: {} (raise training.max_passes)", reached.passes,
        reached.passes == 1 ? "pass was" : "passes were", distance(reached)));
  } else {
    warnings.push_back(fmt::format(
        "training.gap: {} found no way further down: {} (raise training.gap, or model.l2)",
        name_of(config.optimizer.method), distance(reached)));
  }
}

void warn_of_collinear_columns(const Config& config, const Summary& summary, Warnings& warnings) {
  if (!has_no_penalty(config) || !summary.convergence->nearly_collinear) return;
  warnings.emplace_back(
      "model.l2: 0: columns are collinear, or nearly so: their weights are hardly determined, and "
      "the objective may be much further above its minimum than estimated (set model.l2: auto, or "
      "leave a column out)");
}

void warn_of_loss(const WarningFacts& facts, const Summary& summary, Warnings& warnings) {
  constexpr double kRounding = 1e-6;
  const auto is_worse = [](double loss, double than) { return loss > than * (1 + kRounding); };
  const bool at_optimum = summary.convergence && summary.convergence->converged;
  if (!at_optimum && is_worse(summary.train.log_loss, facts.constant_loss)) {
    warnings.push_back(fmt::format(
        "training rows: a log loss of {:.6f} is worse than {:.6f}, that of a constant: training "
        "ended far "
        "from the optimum (optimizer.method: auto goes there; or lower the learning rate, or raise "
        "training.epochs)",
        summary.train.log_loss, facts.constant_loss));
  } else if (summary.validation &&
             is_worse(summary.validation->log_loss, *facts.validation_constant_loss)) {
    warnings.push_back(
        fmt::format("validation rows: a log loss of {:.6f} is worse than {:.6f}, that of the "
                    "training rows' share of "
                    "positive ones: what was learned does not hold there (raise model.l2, give "
                    "fewer columns, or see "
                    "whether these rows are of the same kind)",
                    summary.validation->log_loss, *facts.validation_constant_loss));
  }
}

// So few that only other rows can tell what was learned, and no others are there.
void warn_of_few_rows(const WarningFacts& facts, const Summary& summary, Warnings& warnings) {
  constexpr std::int64_t kRowsOfColumn = 10;
  if (summary.validation || facts.columns * kRowsOfColumn <= facts.rows) return;
  warnings.push_back(
      fmt::format("training rows: {} of them for {} columns: what the model says of them need not "
                  "hold for others "
                  "(set data.validation_fraction to see; a larger model.l2 helps)",
                  facts.rows, facts.columns));
}

}  // namespace

WarningFacts warning_facts(const Config& given, const PreparedData& data, const Schema& schema) {
  const RowSetInfo train(RowSet::kTrain, data.rows.train);
  WarningFacts facts{.rows = data.train_rows,
                     .columns = data.transform.columns(),
                     .goes_to_optimum = goes_to_optimum(given),
                     .constant_loss = constant_loss(given.model, train, train)};
  for (const std::int64_t column : data.separating_columns) {
    facts.separating.push_back(schema.feature_names[static_cast<std::size_t>(column)]);
  }
  if (data.validation_rows > 0) {
    const RowSetInfo validation(RowSet::kValidation, data.rows.validation);
    facts.validation_constant_loss = constant_loss(given.model, validation, train);
  }
  return facts;
}

void add_warnings(const WarningFacts& facts, const Config& config, Summary& summary) {
  Warnings& warnings = summary.warnings;
  const std::string separated = separation(facts, config, summary);
  if (separated.empty()) {
    if (facts.goes_to_optimum) {
      warn_of_gap(config, summary, warnings);
      warn_of_collinear_columns(config, summary, warnings);
    }
  } else {
    warnings.push_back(separated);
    if (summary.convergence) {
      summary.convergence->gap = INFINITY;
      summary.convergence->certified = summary.convergence->converged = false;
    }
    if (is_solver(config.optimizer.method)) summary.stop_reason = "separation";
  }
  warn_of_loss(facts, summary, warnings);
  warn_of_few_rows(facts, summary, warnings);
}

}  // namespace ossau
