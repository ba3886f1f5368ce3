#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arith/fixed_point.hpp"
#include "backend/backend.hpp"
#include "backend/reference_sums.hpp"
#include "support/tables.hpp"

namespace ossau::test {

/// One implementation of Backend; every one must pass the tests below, bit for bit.
struct BackendCase {
  std::string name;
  std::function<std::unique_ptr<Backend>(BackendRows rows, ModelSetup setup)> make;
};

class BackendContract : public ::testing::TestWithParam<BackendCase> {};

/// Rows ready for a backend, with the setup that goes with them.
struct PreparedRows {
  TileSet tiles;
  ModelSetup setup;
};

inline PreparedRows prepare_rows(const TableShape& shape, Layout layout) {
  const Table table = make_table(shape);
  ColumnRanges ranges(shape.columns);
  for (std::int64_t i = 0; i < table.rows(); ++i) ranges.add(table, i);
  ranges.include_zeros(table.rows());
  const ColumnTransform transform =
      make_transform(ranges, nullptr, table.rows(), false, make_schema(shape.columns));
  const Shards shards(table.rows(), 4);
  PreparedRows prepared;
  prepared.tiles = make_tiles(Rows(table), shards, {0, shards.tiles()}, transform, layout, {},
                              shape.weighted ? 0.5 : 1.0);
  prepared.tiles.total_weight = wide_value(sum_of_weights(prepared.tiles));
  prepared.setup.exponent_power = transform.exponent_power;
  return prepared;
}

inline std::vector<TileSlice> every_tile(const Shards& shards) {
  std::vector<TileSlice> slices;
  for (std::int64_t tile = 0; tile < shards.tiles(); ++tile) {
    slices.push_back({tile, 0, static_cast<std::int32_t>(shards.rows_in_tile(tile))});
  }
  return slices;
}

inline std::vector<double> random_weights(std::int64_t features, double size) {
  std::vector<double> weights;
  for (std::int64_t j = 0; j <= features; ++j) {
    weights.push_back(size * (uniform(5, static_cast<std::uint64_t>(j)) - 0.5));
  }
  return weights;
}

// What scores rows: weights in the columns' stored scale, rounded once.
inline std::vector<float> scoring_weights(const std::vector<double>& weights,
                                          const ModelSetup& setup) {
  std::vector<float> scoring;
  for (std::size_t j = 0; j + 1 < weights.size(); ++j) {
    scoring.push_back(static_cast<float>(weights[j] * setup.exponent_power[j]));
  }
  scoring.push_back(static_cast<float>(weights.back()));
  return scoring;
}

inline std::vector<std::int64_t> sums_of(Backend& backend, const std::vector<TileSlice>& slices,
                                         int bits) {
  backend.gradient(RowSet::kTrain, slices, bits);
  const auto sums = backend.sums().host();
  return {sums.begin(), sums.end()};
}

inline void expect_reference_sums(const BackendCase& backend_case, const TableShape& shape,
                                  Layout layout, double weight_size) {
  PreparedRows prepared = prepare_rows(shape, layout);
  const TileSet copy = prepared.tiles;
  const ModelSetup setup = prepared.setup;
  const auto backend = backend_case.make({std::move(prepared.tiles), {}}, setup);
  const std::vector<double> weights = random_weights(shape.columns, weight_size);
  backend->set_weights(weights);
  const int bits = fixed_point_bits(shape.rows);

  auto slices = every_tile(copy.shards);
  const auto scoring = scoring_weights(weights, setup);
  EXPECT_EQ(sums_of(*backend, slices, bits), reference_sums(copy, slices, scoring, bits))
      << shape.rows << " x " << shape.columns;
  // A batch that cuts its first and last tile.
  slices.front().row_begin = std::min(slices.front().row_end - 1, 5);
  slices.back().row_end = std::max(slices.back().row_begin + 1, slices.back().row_end - 3);
  EXPECT_EQ(sums_of(*backend, slices, bits), reference_sums(copy, slices, scoring, bits))
      << shape.rows << " x " << shape.columns << ", cut";
}

TEST_P(BackendContract, SumsDenseRowsAsTheReference) {
  for (const std::int64_t columns : {1, 2, 15, 16, 17, 31, 32, 33, 100, 255, 256, 257, 1000}) {
    for (const std::int64_t rows : {1, 31, 63, 64, 65, 600}) {
      expect_reference_sums(GetParam(), {.rows = rows, .columns = columns, .density = 0.9},
                            Layout::kDense, 1.0);
    }
  }
}

TEST_P(BackendContract, SumsSparseRowsAsTheReference) {
  for (const std::int64_t columns : {1, 2, 33, 256, 1000, 5000}) {
    for (const std::int64_t rows : {1, 63, 64, 65, 600}) {
      for (const double density : {0.0, 0.01, 0.3}) {
        expect_reference_sums(GetParam(), {.rows = rows, .columns = columns, .density = density},
                              Layout::kSparse, 1.0);
      }
    }
  }
  expect_reference_sums(GetParam(), {.rows = 200, .columns = 300, .density = 0.1, .ones = true},
                        Layout::kSparse, 1.0);
  // More than 256 entries a row: several chunks, and spills.
  expect_reference_sums(GetParam(), {.rows = 70, .columns = 1500, .density = 0.5}, Layout::kSparse,
                        1.0);
}

TEST_P(BackendContract, SumsWeightedRowsAndUnequalColumnsAsTheReference) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    expect_reference_sums(
        GetParam(),
        {.rows = 300, .columns = 24, .density = 0.7, .weighted = true, .column_factor = 0.1},
        layout, 1.0);
    expect_reference_sums(GetParam(),
                          {.rows = 300, .columns = 24, .density = 0.7, .column_factor = 10}, layout,
                          1e-10);
  }
}

// Enough tiles, and enough features, that several threads share each.
TEST_P(BackendContract, SumsAsTheReferenceWhenThreadsShareTheWork) {
  expect_reference_sums(GetParam(), {.rows = 64 * 40 + 17, .columns = 12}, Layout::kDense, 1.0);
  expect_reference_sums(GetParam(), {.rows = 64 * 14, .columns = 40000, .density = 0.001},
                        Layout::kSparse, 1.0);
}

TEST_P(BackendContract, CountsScoresThatAreNotFiniteAndClampsLosses) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    const TableShape shape{.rows = 100, .columns = 10};
    expect_reference_sums(GetParam(), shape, layout, 1e12);  // losses beyond 2^31
    expect_reference_sums(GetParam(), shape, layout, 1e39);  // scores beyond float32
    PreparedRows prepared = prepare_rows(shape, layout);
    const auto slices = every_tile(prepared.tiles.shards);
    const auto backend = GetParam().make({std::move(prepared.tiles), {}}, prepared.setup);
    backend->set_weights(random_weights(10, 1e39));
    backend->gradient(RowSet::kTrain, slices, 44);
    EXPECT_EQ(backend->totals().not_finite, 100);
    backend->set_weights(random_weights(10, 1e12));
    backend->gradient(RowSet::kTrain, slices, 44);
    EXPECT_EQ(backend->totals().not_finite, 0);
    EXPECT_GT(backend->totals().clamped, 0);
  }
}

TEST_P(BackendContract, ScoresRowsAsTheReference) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    PreparedRows prepared = prepare_rows({.rows = 333, .columns = 300, .density = 0.5}, layout);
    const TileSet copy = prepared.tiles;
    const auto backend = GetParam().make({std::move(prepared.tiles), {}}, prepared.setup);
    const auto weights = random_weights(300, 1.0);
    backend->set_weights(weights);
    const auto slices = every_tile(copy.shards);
    std::vector<float> scores(slices.size() * 64);
    backend->gradient_and_scores(RowSet::kTrain, slices, 44, scores);
    const auto scoring = scoring_weights(weights, prepared.setup);
    for (std::size_t i = 0; i < 333; ++i) {
      ASSERT_EQ(scores[i],
                reference_score(entries_of(copy, i / 64, i % 64), scoring, scoring[300]));
    }
  }
}

TEST_P(BackendContract, GivesTheGradientOfTheLoss) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    const TableShape shape{.rows = 200, .columns = 6, .density = 0.8, .weighted = true};
    PreparedRows prepared = prepare_rows(shape, layout);
    const auto slices = every_tile(prepared.tiles.shards);
    const TileSet copy = prepared.tiles;
    const auto backend = GetParam().make({std::move(prepared.tiles), {}}, prepared.setup);
    std::vector<double> weights = random_weights(6, 2.0);
    backend->set_weights(weights);
    const int bits = fixed_point_bits(200);
    const auto sums = sums_of(*backend, slices, bits);
    // The mean weighted loss in float64, by libm.
    const auto loss = [&] {
      double total = 0;
      for (std::size_t i = 0; i < 200; ++i) {
        const RowEntries row = entries_of(copy, i / 64, i % 64);
        double z = weights.back();
        for (std::size_t k = 0; k < row.index.size(); ++k) {
          const std::size_t j = row.index[k];
          z += static_cast<double>(row.value[k]) * prepared.setup.exponent_power[j] * weights[j];
        }
        const double c = copy.signed_weight[i];
        total += std::fabs(c) * std::log1p(std::exp(std::signbit(c) ? -z : z));
      }
      return total / copy.total_weight;
    };
    for (std::size_t j = 0; j <= 6; ++j) {
      const double power = j < 6 ? prepared.setup.exponent_power[j] : 1.0;
      const double gradient =
          mean_gradient(sums[j], std::ldexp(1.0, -bits) / copy.total_weight, power);
      const double kept = weights[j];
      const double h = 1e-5;
      weights[j] = kept + h;
      const double above = loss();
      weights[j] = kept - h;
      const double below = loss();
      weights[j] = kept;
      // Scores and residuals are float32.
      EXPECT_NEAR(gradient, (above - below) / (2 * h), 3e-7) << j;
    }
  }
}

/// A few steps of one rule, with the penalties that go with it.
struct RuleCase {
  std::string name;
  UpdateRule rule;
  Penalty penalty;
  double momentum = 0;
  bool intercept = true;
};

inline std::vector<RuleCase> rule_cases() {
  const Penalty l2{.l1 = 0, .l2 = 0.01, .pseudo_huber = 0, .delta = 1};
  const Penalty l1{.l1 = 0.01, .l2 = 0, .pseudo_huber = 0, .delta = 1};
  const Penalty huber{.l1 = 0, .l2 = 0, .pseudo_huber = 0.01, .delta = 0.1};
  return {{"descent", UpdateRule::kDescent, l2},
          {"proximal", UpdateRule::kDescent, l1},
          {"huber", UpdateRule::kDescent, huber},
          {"momentum", UpdateRule::kMomentum, l2, 0.9},
          {"momentum_proximal", UpdateRule::kMomentum, l1, 0.9},
          {"nesterov", UpdateRule::kNesterov, l1, 0.9},
          {"adaptive", UpdateRule::kAdaptive, l2},
          {"adaptive_proximal", UpdateRule::kAdaptive, l1},
          {"scaled", UpdateRule::kScaled, l2},
          {"no_intercept", UpdateRule::kDescent, l2, 0, false}};
}

/// The weights after `steps` full-batch steps of `rule`.
inline std::vector<double> weights_after(const BackendCase& backend_case, const RuleCase& rule,
                                         Layout layout, int steps, std::int64_t columns = 700) {
  PreparedRows prepared =
      prepare_rows({.rows = 300, .columns = columns, .density = 0.05, .seed = 3}, layout);
  const auto slices = every_tile(prepared.tiles.shards);
  prepared.setup.rule = rule.rule;
  prepared.setup.penalty = rule.penalty;
  prepared.setup.momentum = rule.momentum;
  prepared.setup.intercept = rule.intercept;
  const auto backend = backend_case.make({std::move(prepared.tiles), {}}, prepared.setup);
  std::vector<double> weights(static_cast<std::size_t>(columns) + 1, 0.0);
  backend->set_weights(weights);
  double scale = 1;
  for (int step = 0; step < steps; ++step) {
    backend->gradient(RowSet::kTrain, slices, 44);
    scale *= 1 - 0.05 * rule.penalty.l2;
    backend->update({.rate = 0.05,
                     .gradient_factor = 0x1p-44 / 300,
                     .scale = rule.rule == UpdateRule::kScaled ? scale : 1,
                     .fold = false,
                     .fold_factor = 1});
  }
  backend->get_weights(weights);
  return weights;
}

}  // namespace ossau::test
