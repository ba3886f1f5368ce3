#include "train/method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "config/method_keys.hpp"
#include "config/names.hpp"
#include "core/log.hpp"
#include "ossau/error.hpp"
#include "solve/gram_lbfgs.hpp"
#include "solve/newton_cg.hpp"
#include "solve/orthant_newton.hpp"
#include "solve/proximal_newton.hpp"

namespace ossau {
namespace {

// A Gram matrix of d dense columns takes d over this reads, but at least two: about what one core
// with AVX2 takes from 28 to 565 columns.
constexpr double kColumnsOfRead = 22;
constexpr double kLeastGramReads = 2;

// Pairs that conjugate gradients may keep: applying them must not cost more than a read.
std::size_t pairs_kept(const PreparedData& data) {
  constexpr double kMost = 20;
  constexpr double kOperations = 8;  // of a pair for each feature
  const auto features = static_cast<double>(data.transform.columns() + 1);
  const double numbers = data.layout == Layout::kDense
                             ? static_cast<double>(data.train_rows) * features
                             : static_cast<double>(data.entries);
  return static_cast<std::size_t>(std::min(kMost, numbers / (kOperations * features)));
}

// Factorising it takes d^3 / 6 multiplications on one core: so many of them the time of a stored
// number of a read.
constexpr double kPivotsOfDenseNumber = 1.7;
constexpr double kPivotsOfSparseNumber = 10;

// What a Gram matrix and its factor cost, in reads of the rows.  By counting, so the same
// everywhere.
double gram_reads(const PreparedData& data) {
  const auto columns = static_cast<double>(data.transform.columns());
  const double pivots = columns * columns * columns / 6;
  if (data.layout == Layout::kDense) {
    const double numbers = std::max(1.0, columns * static_cast<double>(data.train_rows));
    return std::max(kLeastGramReads,
                    columns / kColumnsOfRead + pivots / (kPivotsOfDenseNumber * numbers));
  }
  const auto entries = static_cast<double>(std::max<std::int64_t>(1, data.entries));
  // Multiplications: half of a row's pairs here, two an entry in a read.
  return static_cast<double>(data.row_pairs) / (4 * entries) +
         pivots / (kPivotsOfSparseNumber * entries);
}

// Beyond this conjugate gradients are done before a Gram matrix is.
constexpr double kMostGramReads = 40;
// Nor may it take more memory than this on each thread.
constexpr std::int64_t kMostGramColumns = 6000;
// Where it is asked for: sums and factor take 8 GiB then.
constexpr std::int64_t kMostAskedGramColumns = 32768;

bool gram_pays(const PreparedData& data) {
  return data.transform.columns() <= kMostGramColumns && gram_reads(data) <= kMostGramReads;
}

void require_gram_memory(Method method, std::int64_t columns) {
  if (method == Method::kNewtonCg || columns <= kMostAskedGramColumns) return;
  throw ConfigError(fmt::format(
      "optimizer.method: {}: the Gram matrix of {} columns would take {} GiB (use newton_cg, or "
      "auto)",
      name_of(method), columns, columns * columns * 8 >> 30));
}

Method choose_method(const Config& config, const PreparedData& data) {
  if (is_solver(config.optimizer.method)) {
    require_gram_memory(config.optimizer.method, data.transform.columns());
  }
  if (config.optimizer.method != Method::kAuto) return config.optimizer.method;
  if (!keys_of_rules(config).empty()) return Method::kSgd;
  if (!gram_pays(data)) return Method::kNewtonCg;
  return config.model.l1 > 0 ? Method::kProximalNewton : Method::kGramLbfgs;
}

}  // namespace

Config resolved(const Config& config, const PreparedData& data) {
  Config result = config;
  result.optimizer.method = choose_method(config, data);
  if (!is_solver(result.optimizer.method)) {
    TrainingConfig& training = result.training;
    training.epochs = training.epochs.value_or(TrainingConfig::kUsualEpochs);
    training.batch_size = training.batch_size.value_or(TrainingConfig::kUsualBatchSize);
  }
  if (!config.model.l2) {
    const double weight = data.rows.train.total_weight / data.weight_scale;
    result.model.l2 = config.model.l1 > 0 ? 0 : 1 / weight;
  }
  return result;
}

void say_choices(const Config& given, const Config& config, const Schema& schema) {
  if (!given.data.csv.label && !schema.label_column.empty()) {
    log_info(
        fmt::format("data.csv.label: auto: \"{}\" (another: --label NAME)", schema.label_column));
  }
  if (given.optimizer.method == Method::kAuto && config.optimizer.method == Method::kSgd) {
    log_info(fmt::format("optimizer.method: auto: sgd, because {} is set",
                         keys_of_rules(given).front()));
  }
  if (!given.model.l2 && *config.model.l2 > 0) {
    log_info(fmt::format(
        "model.l2: auto: {:.4g}, that is 1 / {:.6g}, the rows' weight (model.l2=0 for what a "
        "glm fits)",
        *config.model.l2, 1 / *config.model.l2));
  }
}

SolverPlan plan_solver(const Config& config, const PreparedData& data) {
  // Until it knows which weights are 0 its bound is far from what is left.
  const bool searches_zeros = config.optimizer.method == Method::kNewtonCg && config.model.l1 > 0;
  return {.method = config.optimizer.method,
          .gap = config.training.gap.value_or(TrainingConfig::kUsualGap),
          .weight = config.training.gap ? 0 : data.rows.train.total_weight / data.weight_scale,
          .gram_reads = gram_reads(data),
          .memory = pairs_kept(data),
          .patience = searches_zeros ? 200 : 30};
}

std::unique_ptr<Solver> make_solver(const SolverPlan& plan, Objective& objective,
                                    SolverState from) {
  switch (plan.method) {
    case Method::kGramLbfgs:
      return make_gram_lbfgs(objective, std::move(from), {.gram_reads = plan.gram_reads});
    case Method::kNewtonCg:
      if (objective.penalties().l1 > 0) return make_orthant_newton(objective, std::move(from), {});
      return make_newton_cg(objective, std::move(from), {.memory = plan.memory});
    case Method::kProximalNewton:
      return make_proximal_newton(objective, std::move(from), {.gram_reads = plan.gram_reads});
    default:
      throw std::logic_error(fmt::format("{} is no solver", name_of(plan.method)));
  }
}

}  // namespace ossau
