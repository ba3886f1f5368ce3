#include "train/preparation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "arith/bits.hpp"
#include "data/rows.hpp"
#include "data/text/labels.hpp"
#include "data/tile_hash.hpp"
#include "data/tiles.hpp"
#include "ossau/error.hpp"
#include "train/rank_reduce.hpp"

namespace ossau {
namespace {

// Beyond these a power of two that scales back is no normal float64, or too little is left of the
// fixed point.
constexpr std::int32_t kLargestWeightExponent = 1000;
constexpr double kFarthestFeature = 0x1p40;
constexpr double kLeastCurvature = 0x1p-900;

// Training rows come first in the shuffled order, held-out rows last.
struct Split {
  Rows train;
  std::optional<Rows> validation;
};

Split split_rows(const DataConfig& config, const Dataset& dataset) {
  const RowPlan plan = training_plan(config);
  const std::int64_t all = dataset.train.all_rows();
  const std::int64_t held_out = plan.held_out(all);
  if (held_out >= all) {
    throw DataError(fmt::format(
        "data.validation_fraction: {:g} of {} rows leaves none to train on (use more rows)",
        config.validation_fraction, all));
  }
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return Rows(dataset.train, plan, first, count);
  };
  Split split{part(0, all - held_out), std::nullopt};
  if (held_out > 0) split.validation = part(all - held_out, held_out);
  if (dataset.validation) split.validation = Rows(*dataset.validation);
  return split;
}

// One rank's walk over its rows, the same for every measurement.
class RankRows {
 public:
  RankRows(const Rows& rows, Shards shards, RankInfo rank)
      : rows_(rows), shards_(shards), tiles_(shards.tiles_of_rank(rank)) {}

  const Rows& rows() const { return rows_; }
  const Shards& shards() const { return shards_; }
  Range tiles() const { return tiles_; }

  template <class Visit>
  void each(Visit&& visit) const {
    const Range here = shards_.rows_of_tiles(tiles_);
    for (std::int64_t place = here.begin; place < here.end; ++place) visit(rows_.row_at(place));
  }

 private:
  const Rows& rows_;
  Shards shards_;
  Range tiles_;
};

ColumnRanges measure_ranges(const RankRows& rank_rows, std::int64_t features,
                            Communicator& communicator) {
  ColumnRanges ranges(features);
  rank_rows.each([&](std::int64_t row) { ranges.add(rank_rows.rows().table(), row); });
  merge_ranges(communicator, ranges);
  ranges.include_zeros(rank_rows.rows().count());
  return ranges;
}

ColumnTransform measure_transform(const DataConfig& config, const RankRows& rank_rows,
                                  const ColumnRanges& ranges, Layout layout, const Schema& schema,
                                  Communicator& communicator) {
  const std::int64_t rows = rank_rows.rows().count();
  if (config.standardize == AutoBool::kFalse) {
    return make_transform(ranges, nullptr, rows, false, schema);
  }
  ColumnMoments moments(ranges, schema);
  rank_rows.each([&](std::int64_t row) { moments.add(rank_rows.rows().table(), row); });
  merge_moments(communicator, moments);
  moments.include_zeros(ranges, rows);
  // Centring sparse data would fill it.
  return make_transform(ranges, &moments, rows, layout == Layout::kDense, schema);
}

std::array<double, 2> weights_by_label(const std::map<std::string, double>& by_label,
                                       const Schema& schema) {
  std::array<double, 2> weights = {1, 1};
  std::array<bool, 2> named = {false, false};
  for (const auto& [spelling, weight] : by_label) {
    const std::string label = canonical_label(spelling);
    const auto* found = std::find(schema.classes.begin(), schema.classes.end(), label);
    if (found == schema.classes.end()) {
      throw ConfigError(fmt::format(
          R"(model.class_weight: no label "{}" in the data (its labels are "{}" and "{}"))",
          spelling, schema.classes[0], schema.classes[1]));
    }
    const auto k = static_cast<std::size_t>(found - schema.classes.begin());
    if (named[k]) {
      throw ConfigError(
          fmt::format(R"(model.class_weight: the label "{}" has two weights (keep one))", label));
    }
    named[k] = true;
    weights[k] = weight;
  }
  return weights;
}

// Rows of each class over all ranks.
std::array<std::int64_t, 2> count_classes(const RankRows& rank_rows, Communicator& communicator) {
  std::array<std::int64_t, 2> counts = {0, 0};
  rank_rows.each([&](std::int64_t row) {
    ++counts[rank_rows.rows().table().label[static_cast<std::size_t>(row)]];
  });
  all_reduce(communicator, counts, Reduction::kSum, "class counts");
  return counts;
}

RowWeights row_weights(const ClassWeight& config, const RankRows& rank_rows, const Schema& schema,
                       Communicator& communicator) {
  const std::array<std::int64_t, 2> counts = count_classes(rank_rows, communicator);
  for (std::size_t k = 0; k < 2; ++k) {
    if (counts[k] > 0) continue;
    throw DataError(fmt::format(
        "training rows: none has the label \"{}\" once validation rows are held out (use another "
        "data.shuffle_seed or a smaller data.validation_fraction)",
        schema.classes[k]));
  }
  RowWeights weights;
  if (config.mode == ClassWeightMode::kByLabel) {
    weights.of_class = weights_by_label(config.by_label, schema);
  } else if (config.mode == ClassWeightMode::kBalanced) {
    const auto all = static_cast<double>(counts[0] + counts[1]);
    for (std::size_t k = 0; k < 2; ++k) {
      weights.of_class[k] = all / (2 * static_cast<double>(counts[k]));
    }
  }
  return weights;
}

// Those whose values in one class are nowhere below those in the other.
std::vector<std::int64_t> separating_columns(const RankRows& rank_rows, const RowWeights& weights,
                                             std::int64_t features, Communicator& communicator) {
  std::array<ColumnRanges, 2> of_class = {ColumnRanges(features), ColumnRanges(features)};
  std::array<std::int64_t, 2> rows = {0, 0};
  const Table& table = rank_rows.rows().table();
  rank_rows.each([&](std::int64_t row) {
    if (!(weights(table, row) > 0)) return;
    const auto k = static_cast<std::size_t>(table.label[static_cast<std::size_t>(row)]);
    of_class[k].add(table, row);
    ++rows[k];
  });
  for (ColumnRanges& ranges : of_class) merge_ranges(communicator, ranges);
  all_reduce(communicator, rows, Reduction::kSum, "rows of each class");
  for (std::size_t k = 0; k < 2; ++k) of_class[k].include_zeros(rows[k]);
  std::vector<std::int64_t> found;
  for (std::int64_t j = 0; j < features && rows[0] > 0 && rows[1] > 0; ++j) {
    const auto i = static_cast<std::size_t>(j);
    const auto is_below = [&](std::size_t a, std::size_t b) {
      return of_class[a].max[i] <= of_class[b].min[i] && of_class[a].min[i] < of_class[b].max[i];
    };
    if (is_below(0, 1) || is_below(1, 0)) found.push_back(j);
  }
  return found;
}

// The power of two that brings the largest weight of any rank to at most 1.
double weight_scale(const RankRows& rank_rows, const RowWeights& weights, std::string_view which,
                    Communicator& communicator) {
  double largest = 0;
  rank_rows.each([&](std::int64_t row) {
    largest = std::max(largest, weights(rank_rows.rows().table(), row));
  });
  largest = merge_max(communicator, largest, "largest row weight");
  if (largest != 0 && !(largest <= power_of_two(kLargestWeightExponent) &&
                        largest >= power_of_two(-kLargestWeightExponent))) {
    throw DataError(fmt::format(
        "{} rows: weights up to {:g} (sample times class weight) are too far from 1; divide them "
        "all by one number",
        which, largest));
  }
  return power_of_two(-ceil_exponent(largest));
}

TileSet make_rank_tiles(const RankRows& rank_rows, const ColumnTransform& transform, Layout layout,
                        const RowWeights& weights, double scale, std::string_view which,
                        Communicator& communicator, ThreadPool& pool) {
  TileSet tiles = make_tiles(rank_rows.rows(), rank_rows.shards(), rank_rows.tiles(), transform,
                             layout, weights, scale, pool);
  std::array<Int128, 2> sums = sums_of_weights(tiles);
  merge_sums(communicator, sums, "total row weight");
  tiles.total_weight = wide_value(sums[0] + sums[1]);
  tiles.positive_weight = wide_value(sums[1]);
  if (!(tiles.total_weight > 0)) {
    throw DataError(fmt::format(
        "{} rows: all weights are 0 (at least one sample times class weight must be positive)",
        which));
  }
  return tiles;
}

void require_both_classes(const TileSet& tiles, const Schema& schema) {
  for (const bool positive : {false, true}) {
    const double weight =
        positive ? tiles.positive_weight : tiles.total_weight - tiles.positive_weight;
    if (weight > 0) continue;
    throw DataError(
        fmt::format("training rows: those with the label \"{}\" weigh nothing (sample times class "
                    "weight), so there "
                    "is only one class to learn",
                    schema.classes[positive ? 1 : 0]));
  }
}

// What the Gram matrix of sparse rows multiplies.
std::int64_t row_pairs(const TileSet& tiles) {
  const auto* sparse = std::get_if<SparseTiles>(&tiles.storage);
  if (sparse == nullptr) return 0;
  std::int64_t pairs = 0;
  for (const std::int64_t length : sparse->length) pairs += length * length;
  return pairs;
}

double lipschitz_constant(const TileSet& tiles, const ColumnTransform& transform,
                          const ModelConfig& model, Communicator& communicator) {
  const double largest = merge_max(
      communicator, largest_row_norm(tiles, transform, model.intercept), "largest row norm");
  const double curvature = traits_of(choose_loss(model)).largest_curvature * largest *
                           static_cast<double>(tiles.shards.rows()) / tiles.total_weight;
  if (curvature != 0 && !(curvature >= kLeastCurvature && curvature <= 1 / kLeastCurvature)) {
    throw DataError(
        "training rows: the squared lengths of rows are too large or too small for float64 (set "
        "data.standardize: true, or give the columns in other units)");
  }
  return curvature;
}

// A feature of this rank's rows that is far outside; empty where another rank has it.
std::string far_feature(const RankRows& rank_rows, const ColumnTransform& transform,
                        const Schema& schema) {
  const Table& table = rank_rows.rows().table();
  std::string found = "a feature";
  rank_rows.each([&](std::int64_t row) {
    const auto i = static_cast<std::size_t>(row);
    for (auto k = static_cast<std::size_t>(table.row_start[i]);
         k < static_cast<std::size_t>(table.row_start[i + 1]); ++k) {
      const std::uint32_t j = table.index[k];
      if (std::fabs(transform.stored(table.value[k], j)) <= kFarthestFeature) continue;
      found = fmt::format("feature {}: {:g}", schema.feature_names[j], table.value[k]);
    }
  });
  return found;
}

// Columns are scaled by the training rows; others may lie outside, but not without bound.
TileSet make_validation_tiles(const Config& config, const RankRows& rank_rows,
                              const PreparedData& prepared, const RowWeights& weights,
                              const Schema& schema, Communicator& communicator, ThreadPool& pool) {
  constexpr std::string_view kWhich = "validation";
  TileSet tiles = make_rank_tiles(rank_rows, prepared.transform, prepared.layout, weights,
                                  weight_scale(rank_rows, weights, kWhich, communicator), kWhich,
                                  communicator, pool);
  tiles.largest_feature = std::max(
      1.0, merge_max(communicator, largest_stored_feature(tiles), "largest validation feature"));
  if (!(tiles.largest_feature <= kFarthestFeature)) {
    throw DataError(fmt::format(
        "validation rows: {} is more than 2^40 times larger than in any training row (check the "
        "column's units)",
        far_feature(rank_rows, prepared.transform, schema)));
  }
  const std::array<std::int64_t, 2> counts = count_classes(rank_rows, communicator);
  const auto& stopping = config.training.early_stopping;
  if (stopping && stopping->metric == Metric::kAuc && (counts[0] == 0 || counts[1] == 0)) {
    throw DataError(fmt::format(
        "validation rows: none has the label \"{}\", so they have no AUC (use another metric in "
        "training.early_stopping, or other validation rows)",
        schema.classes[counts[0] == 0 ? 0 : 1]));
  }
  return tiles;
}

}  // namespace

PreparedData prepare(const Config& config, const Dataset& dataset, Communicator& communicator,
                     ThreadPool& pool) {
  const Split split = split_rows(config.data, dataset);
  const auto features = static_cast<std::int64_t>(dataset.schema.feature_names.size());
  const auto rank_rows = [&](const Rows& rows) {
    return RankRows(rows, Shards(rows.count(), config.training.virtual_shards),
                    communicator.rank());
  };
  const RankRows train = rank_rows(split.train);
  const ColumnRanges ranges = measure_ranges(train, features, communicator);

  PreparedData prepared;
  prepared.train_rows = split.train.count();
  for (const std::int64_t count : ranges.count) prepared.entries += count;
  prepared.layout = choose_layout(config.data, ranges, prepared.train_rows);
  prepared.transform =
      measure_transform(config.data, train, ranges, prepared.layout, dataset.schema, communicator);
  const RowWeights weights =
      row_weights(config.model.class_weight, train, dataset.schema, communicator);
  // Without an intercept a column must part the classes at 0, which centring moves.
  if (config.model.intercept && config.model.l1 == 0 && config.model.l2 == 0.0) {
    prepared.separating_columns = separating_columns(train, weights, features, communicator);
  }
  prepared.weight_scale = weight_scale(train, weights, "training", communicator);
  prepared.rows.train = make_rank_tiles(train, prepared.transform, prepared.layout, weights,
                                        prepared.weight_scale, "training", communicator, pool);
  require_both_classes(prepared.rows.train, dataset.schema);
  prepared.row_pairs = merge_sum(communicator, row_pairs(prepared.rows.train), "pairs of entries");
  prepared.lipschitz =
      lipschitz_constant(prepared.rows.train, prepared.transform, config.model, communicator);
  if (split.validation) {
    prepared.validation_rows = split.validation->count();
    prepared.rows.validation = make_validation_tiles(config, rank_rows(*split.validation), prepared,
                                                     weights, dataset.schema, communicator, pool);
  }
  std::array<Int128, 1> hash = {hash_of_rows(prepared.rows.train, 0, pool) +
                                hash_of_rows(prepared.rows.validation, 1, pool)};
  merge_sums(communicator, hash, "hash of the rows");
  prepared.rows_hash = hash[0];
  return prepared;
}

}  // namespace ossau
