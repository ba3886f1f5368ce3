#include "train/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "arith/bits.hpp"
#include "arith/feature_sum.hpp"
#include "arith/fixed_point.hpp"
#include "backend/ranking.hpp"
#include "ossau/error.hpp"
#include "train/preparation.hpp"
#include "train/rank_reduce.hpp"

namespace ossau {

RowSetInfo::RowSetInfo(RowSet which, const TileSet& tiles)
    : set(which),
      rows(tiles.shards.rows()),
      features(tiles.features),
      owned_tiles(tiles.owned),
      here(tiles.shards.rows_of_tiles(tiles.owned)),
      total_weight(tiles.total_weight),
      positive_share(tiles.positive_weight / tiles.total_weight),
      // Features beyond the training rows' range need room above the point.
      fixed_bits(fixed_point_bits(rows) - ceil_exponent(std::max(1.0, tiles.largest_feature))) {}

double RowSetInfo::gradient_factor() const { return power_of_two(-fixed_bits) / total_weight; }

namespace {

// A class whose rows weigh next to nothing gets a score all the same.
double clamped_share(const RowSetInfo& rows) {
  return std::clamp(rows.positive_share, 0x1p-40, 1 - 0x1p-40);
}

}  // namespace

std::vector<double> first_weights(const ModelConfig& model, const RowSetInfo& train) {
  std::vector<double> weights(static_cast<std::size_t>(train.features) + 1, 0.0);
  if (model.intercept) {
    const double score = traits_of(choose_loss(model)).constant_score(clamped_share(train));
    weights.back() = static_cast<double>(static_cast<float>(score));
  }
  return weights;
}

double constant_loss(const ModelConfig& model, const RowSetInfo& rows, const RowSetInfo& train) {
  const double fit = model.intercept ? clamped_share(train) : 0.5;
  return traits_of(choose_loss(model)).constant_loss(rows.positive_share, fit);
}

double penalty_value(std::span<const double> weights, const Penalty& penalty) {
  const auto n = static_cast<std::int64_t>(weights.size());
  const auto sum = [&](auto&& term) {
    return feature_sum(n,
                       [&](std::int64_t j) { return term(weights[static_cast<std::size_t>(j)]); });
  };
  // A penalty of strength 0 is none, even where its sum overflows.
  double value = 0;
  if (penalty.l2 > 0) value += penalty.l2 / 2 * sum([](double w) { return w * w; });
  if (penalty.l1 > 0) value += penalty.l1 * sum([](double w) { return std::fabs(w); });
  if (penalty.pseudo_huber > 0) {
    const double delta = penalty.delta;
    value += penalty.pseudo_huber *
             sum([delta](double w) { return std::sqrt(w * w + delta * delta) - delta; });
  }
  return value;
}

void check_convergence(const StepTotals& totals, std::int64_t rows, double learning_rate,
                       std::int64_t epoch, std::int64_t step) {
  if (totals.not_finite == 0 && totals.clamped == 0) return;
  const std::string where = step > 0 ? fmt::format("epoch {}, step {}", epoch, step)
                                     : fmt::format("the end of epoch {}", epoch);
  const std::int64_t bad = totals.not_finite + totals.clamped;
  throw ConfigError(fmt::format(
      "optimizer.learning_rate: {:g}: training diverged at {}: {} of {} rows have a {} (lower the "
      "learning rate, or set it to auto, which never diverges)",
      learning_rate, where, bad, rows,
      totals.not_finite > 0 ? "score that is not finite" : "loss above 2^31"));
}

void measure_ceiling(Summary& summary, Backend& backend, Communicator& communicator) {
  communicator.barrier("measurement of the machine");
  Speed& speed = summary.speed;
  speed.bare_pass_s = merge_max(communicator, backend.bare_pass_s(), "measured ceiling");
  speed.floor_s = speed.passes * speed.bare_pass_s;
  speed.ceiling_share = speed.floor_s / summary.time.train_s;
}

Evaluator::Evaluator(const ModelConfig& model, Penalty penalty, double learning_rate,
                     Backend& backend, Communicator& communicator)
    : penalty_(penalty),
      learning_rate_(learning_rate),
      cut_(traits_of(choose_loss(model)).decision_cut(model.threshold)),
      backend_(backend),
      communicator_(communicator) {}

Metrics Evaluator::evaluate(const RowSetInfo& rows, std::int64_t epoch) {
  backend_.look_at(EvaluationPoint::kWeights);
  backend_.gradient_and_scores(rows.set, rows.fixed_bits);
  reduce_sums(backend_, communicator_, "evaluation sums");
  const StepTotals totals = backend_.totals();
  check_convergence(totals, rows.rows, learning_rate_, epoch, 0);

  std::vector<double> weights(static_cast<std::size_t>(rows.features) + 1);
  backend_.get_weights(weights);
  Metrics metrics;
  metrics.log_loss = loss_value(totals.loss_floors, totals.loss_fractions) / rows.total_weight;
  metrics.objective =
      metrics.log_loss + penalty_value(std::span(weights).first(weights.size() - 1), penalty_);
  metrics.gradient_max = backend_.gradient_max(rows.gradient_factor(), learning_rate_);

  count_predictions(rows, metrics);
  metrics.auc = measure_auc(rows);
  backend_.look_at(EvaluationPoint::kRule);
  return metrics;
}

void Evaluator::count_predictions(const RowSetInfo& rows, Metrics& metrics) {
  std::array<std::int64_t, 4> counts = backend_.count_predictions(cut_).counts;
  all_reduce(communicator_, counts, Reduction::kSum, "confusion counts");
  metrics.true_negatives = counts[0];
  metrics.false_positives = counts[1];
  metrics.false_negatives = counts[2];
  metrics.true_positives = counts[3];
  metrics.accuracy = static_cast<double>(counts[0] + counts[3]) / static_cast<double>(rows.rows);
}

double Evaluator::measure_auc(const RowSetInfo& rows) {
  if (communicator_.rank().size == 1) return area_under_curve(backend_.count_pairs());
  double auc = area_under_curve(pairs_of_all_ranks(rows));
  communicator_.broadcast(std::as_writable_bytes(std::span(&auc, 1)), 0, "AUC");
  return auc;
}

// On rank 0; none on the others.  Every rank fills its own rows of a vector of zeros: a sum gathers
// them.
PairCounts Evaluator::pairs_of_all_ranks(const RowSetInfo& rows) {
  std::vector<std::int64_t> keys(static_cast<std::size_t>(rows.rows), 0);
  backend_.ranking_keys(std::span(keys).subspan(static_cast<std::size_t>(rows.here.begin),
                                                static_cast<std::size_t>(rows.here.size())));
  all_reduce(communicator_, keys, Reduction::kSum, "scores");
  return communicator_.rank().rank == 0 ? count_pairs(keys) : PairCounts{};
}

}  // namespace ossau
