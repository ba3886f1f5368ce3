#include "train/evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "arith/bits.hpp"
#include "arith/elementary.hpp"
#include "arith/feature_sum.hpp"
#include "arith/fixed_point.hpp"
#include "ossau/error.hpp"
#include "train/rank_reduce.hpp"
#include "train/ranking.hpp"

namespace ossau {

RowSetInfo::RowSetInfo(RowSet which, const TileSet& tiles)
    : set(which),
      rows(tiles.shards.rows()),
      features(tiles.features),
      owned_tiles(tiles.owned),
      here(tiles.shards.rows_of_tiles(tiles.owned)),
      total_weight(tiles.total_weight),
      // Features beyond the training rows' range need room above the point.
      fixed_bits(fixed_point_bits(rows) - ceil_exponent(std::max(1.0, tiles.largest_feature))) {
  for (std::int64_t tile = tiles.owned.begin; tile < tiles.owned.end; ++tile) {
    slices.push_back({.tile = tile,
                      .row_begin = 0,
                      .row_end = static_cast<std::int32_t>(tiles.shards.rows_in_tile(tile))});
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(here.size()); ++i) {
    labels.push_back(std::signbit(tiles.signed_weight[i]) ? 1 : 0);
  }
}

double RowSetInfo::gradient_factor() const { return power_of_two(-fixed_bits) / total_weight; }

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

Evaluator::Evaluator(const ModelConfig& model, Penalty penalty, double learning_rate,
                     Backend& backend, Communicator& communicator)
    : penalty_(penalty),
      learning_rate_(learning_rate),
      cut_(log_natural(model.threshold / (1 - model.threshold))),
      backend_(backend),
      communicator_(communicator) {}

Metrics Evaluator::evaluate(const RowSetInfo& rows, std::int64_t epoch) {
  backend_.look_at(EvaluationPoint::kWeights);
  scores_.resize(rows.slices.size() * static_cast<std::size_t>(kTileRows));
  backend_.gradient_and_scores(rows.set, rows.slices, rows.fixed_bits, scores_);
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

  // Only the last tile may lack rows: at the end.
  const auto scores = std::span<const float>(scores_).first(rows.labels.size());
  count_predictions(rows, scores, metrics);
  metrics.auc = measure_auc(rows, scores);
  backend_.look_at(EvaluationPoint::kRule);
  return metrics;
}

void Evaluator::count_predictions(const RowSetInfo& rows, std::span<const float> scores,
                                  Metrics& metrics) {
  std::array<std::int64_t, 4> counts = {0, 0, 0, 0};  // 2 * positive + predicted positive
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool predicted = static_cast<double>(scores[i]) >= cut_;
    ++counts[std::size_t{2} * rows.labels[i] + (predicted ? 1U : 0U)];
  }
  all_reduce(communicator_, counts, Reduction::kSum, "confusion counts");
  metrics.true_negatives = counts[0];
  metrics.false_positives = counts[1];
  metrics.false_negatives = counts[2];
  metrics.true_positives = counts[3];
  metrics.accuracy = static_cast<double>(counts[0] + counts[3]) / static_cast<double>(rows.rows);
}

double Evaluator::measure_auc(const RowSetInfo& rows, std::span<const float> scores) {
  // Every rank fills its own rows of a vector of zeros: a sum gathers them.
  std::vector<std::int64_t> keys(static_cast<std::size_t>(rows.rows), 0);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    keys[static_cast<std::size_t>(rows.here.begin) + i] =
        ranking_key(scores[i], rows.labels[i] == 1);
  }
  all_reduce(communicator_, keys, Reduction::kSum, "scores");
  double auc = communicator_.rank().rank == 0 ? area_under_curve(keys) : 0;
  communicator_.broadcast(std::as_writable_bytes(std::span(&auc, 1)), 0, "AUC");
  return auc;
}

}  // namespace ossau
