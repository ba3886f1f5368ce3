#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arith/fixed_point.hpp"
#include "backend/backend.hpp"
#include "backend/backend_case.hpp"
#include "backend/prepared_rows.hpp"
#include "backend/reference_sums.hpp"

namespace ossau::test {

/// Every implementation of Backend must pass the tests below, bit for bit.
class BackendContract : public ::testing::TestWithParam<BackendCase> {
 protected:
  void SetUp() override {
    if (!GetParam().why_not.empty()) GTEST_SKIP() << GetParam().why_not;
  }
};

inline std::vector<std::int64_t> sums_of(Backend& backend, const std::vector<TileSlice>& slices,
                                         int bits) {
  backend.gradient(RowSet::kTrain, slices, bits);
  const auto sums = backend.sums(MemorySpace::kHost).host();
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
  for (const std::int64_t columns :
       {1, 2, 11, 12, 15, 16, 17, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 257, 1000}) {
    // Fewer tiles than scores are taken of at once, as many, and some left over.
    for (const std::int64_t rows : {1, 31, 63, 64, 65, 7 * 64, 8 * 64, 600, 17 * 64 + 1}) {
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

// What tests of scores and sums share: rows, a backend for them and the weights that it has.
struct BackendWithRows {
  TileSet tiles;
  ModelSetup setup;
  std::unique_ptr<Backend> backend;
  std::vector<float> scoring;

  BackendWithRows(const BackendCase& backend_case, PreparedRows prepared)
      : tiles(prepared.tiles), setup(prepared.setup) {
    backend = backend_case.make({std::move(prepared.tiles), {}}, setup);
    const auto weights = random_weights(tiles.features, 1.0);
    backend->set_weights(weights);
    scoring = scoring_weights(weights, setup);
  }
};

// Sums of `slices`, then sums and scores of every row.
inline void expect_reference_scores(const BackendWithRows& of,
                                    const std::vector<TileSlice>& slices) {
  EXPECT_EQ(sums_of(*of.backend, slices, 44), reference_sums(of.tiles, slices, of.scoring, 44));
  of.backend->gradient_and_scores(RowSet::kTrain, 44);
  const auto host = of.backend->sums(MemorySpace::kHost).host();
  EXPECT_EQ(std::vector<std::int64_t>(host.begin(), host.end()),
            reference_sums(of.tiles, every_tile(of.tiles.shards), of.scoring, 44));
  std::vector<std::int64_t> keys(static_cast<std::size_t>(of.tiles.shards.rows()));
  of.backend->ranking_keys(keys);
  for (std::size_t row = 0; row < keys.size(); ++row) {
    const RowEntries entries = entries_of(of.tiles, row / 64, row % 64);
    const float score = reference_score(entries, of.scoring, of.scoring.back());
    ASSERT_EQ(keys[row], ranking_key(score, is_positive(of.tiles.signed_weight[row]))) << row;
  }
}

TEST_P(BackendContract, ScoresRowsAsTheReference) {
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    for (const std::int64_t columns : {1, 12, 17, 300}) {
      const BackendWithRows of(
          GetParam(),
          prepare_rows({.rows = 64 * 11 + 13, .columns = columns, .density = 0.5}, layout));
      auto slices = every_tile(of.tiles.shards);
      expect_reference_scores(of, slices);
      // Cut, in another order, the last tile between others, one tile twice, and none.
      std::reverse(slices.begin() + 2, slices.end());
      slices[0] = {.tile = slices[0].tile, .row_begin = 63, .row_end = 64};
      slices[3] = {.tile = slices[3].tile, .row_begin = 0, .row_end = 1};
      slices[4] = {.tile = slices[4].tile, .row_begin = 31, .row_end = 33};
      slices[5] = slices[4];
      expect_reference_scores(of, slices);
      slices.resize(1);
      expect_reference_scores(of, slices);
      expect_reference_scores(of, {});
    }
  }
}

// Around the length of a chunk, in slots and spilled, beside short rows and empty ones.
TEST_P(BackendContract, ScoresAndSumsSparseRowsOfEveryLengthAsTheReference) {
  constexpr std::int64_t kColumns = 2000;
  for (const bool ones : {false, true}) {
    Table table;
    const auto tile_of = [&](const std::vector<std::int64_t>& lengths) {
      for (std::size_t i = 0; i < 64; ++i) {
        add_spread_row(table, kColumns, lengths[i % lengths.size()], ones);
      }
    };
    for (const std::int64_t length : {0, 1, 31, 32, 33, 255, 256, 257, 512, 600}) tile_of({length});
    tile_of({0, 1, 255, 256, 257, 600, 3, 511, 512, 513, 768, 769});
    tile_of({0, 0, 0, 1, 2, 3, 2, 1, 256, 0, 1, 257, 2, 4, 3, 700});
    for (const std::int64_t length : {256, 0, 257, 1, 1000}) {
      add_spread_row(table, kColumns, length, ones);  // a short last tile
    }
    const BackendWithRows of(GetParam(), prepare_table(table, kColumns, Layout::kSparse));
    ASSERT_GT(std::get<SparseTiles>(of.tiles.storage).spill_row.size(), 1000u);
    ASSERT_EQ(std::get<SparseTiles>(of.tiles.storage).implicit_ones(), ones);
    auto slices = every_tile(of.tiles.shards);
    expect_reference_scores(of, slices);
    for (TileSlice& slice : slices) slice.row_begin = std::min(slice.row_end - 1, 3);
    expect_reference_scores(of, slices);
  }
}

// Wide enough that memory is asked for weights and sums early.
TEST_P(BackendContract, ScoresAndSumsVeryWideRowsAsTheReference) {
  constexpr std::int64_t kColumns = (1 << 18) + 3;
  for (const bool ones : {false, true}) {
    Table table;
    for (std::int64_t i = 0; i < 64 * 3 + 1; ++i) {
      add_spread_row(table, kColumns, i % 40 == 7 ? 300 : i % 9, ones);
    }
    const BackendWithRows of(GetParam(), prepare_table(table, kColumns, Layout::kSparse));
    expect_reference_scores(of, every_tile(of.tiles.shards));
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
  RuleSettings settings = {};
  bool intercept = true;
};

inline std::vector<RuleCase> rule_cases() {
  const Penalty l2{.l1 = 0, .l2 = 0.01, .pseudo_huber = 0, .delta = 1};
  const Penalty l1{.l1 = 0.01, .l2 = 0, .pseudo_huber = 0, .delta = 1};
  const Penalty huber{.l1 = 0, .l2 = 0, .pseudo_huber = 0.01, .delta = 0.1};
  return {{"descent", UpdateRule::kDescent, l2},
          {"proximal", UpdateRule::kDescent, l1},
          {"huber", UpdateRule::kDescent, huber},
          {"momentum", UpdateRule::kMomentum, l2, {{0.9}}},
          {"momentum_proximal", UpdateRule::kMomentum, l1, {{0.9}}},
          {"nesterov", UpdateRule::kNesterov, l1, {{0.9}}},
          {"adaptive", UpdateRule::kAdaptive, l2},
          {"adaptive_proximal", UpdateRule::kAdaptive, l1},
          {"scaled", UpdateRule::kScaled, l2},
          {"no_intercept", UpdateRule::kDescent, l2, {}, false},
          {"adagrad", UpdateRule::kAdagrad, l2, {{1e-10}}},
          {"adagrad_proximal", UpdateRule::kAdagrad, l1, {{1e-10}}},
          {"adagrad_untouched", UpdateRule::kAdagrad, {}, {{1e-10}}},
          {"adam", UpdateRule::kAdam, l2, {{0.9, 0.999, 1e-8}}},
          {"adam_proximal", UpdateRule::kAdam, l1, {{0.9, 0.999, 1e-8}}, false}};
}

/// A training of full-batch steps by one rule, on a backend of its own.
class RuleRun {
 public:
  RuleRun(const BackendCase& backend_case, const RuleCase& rule, Layout layout,
          std::int64_t columns = 700)
      : rule_(rule), columns_(columns) {
    PreparedRows prepared =
        prepare_rows({.rows = 300, .columns = columns, .density = 0.05, .seed = 3}, layout);
    slices_ = every_tile(prepared.tiles.shards);
    prepared.setup.rule = rule.rule;
    prepared.setup.penalty = rule.penalty;
    prepared.setup.settings = rule.settings;
    prepared.setup.intercept = rule.intercept;
    backend_ = backend_case.make({std::move(prepared.tiles), {}}, prepared.setup);
    backend_->set_weights(weights_of(0.0));
  }

  void steps(int count, bool fold = false) {
    for (int step = 0; step < count; ++step) {
      backend_->gradient(RowSet::kTrain, slices_, 44);
      scale_ *= 1 - 0.05 * rule_.penalty.l2;
      const double reached = rule_.rule == UpdateRule::kScaled ? scale_ : 1;
      if (fold) scale_ = 1;
      StepParameters parameters{.rate = 0.05,
                                .gradient_factor = 0x1p-44 / 300,
                                .scale = fold ? 1 : reached,
                                .fold = fold,
                                .fold_factor = reached};
      prepare_step(rule_.rule, rule_.settings, ++number_, parameters);
      backend_->update(parameters);
    }
  }

  /// Takes another's place.
  void go_on_from(const RuleRun& other) {
    backend_->restore(other.backend_->snapshot());
    scale_ = other.scale_;
    number_ = other.number_;
  }

  std::vector<double> weights() const {
    std::vector<double> weights = weights_of(0.0);
    backend_->get_weights(weights);
    return weights;
  }
  Backend& backend() { return *backend_; }
  std::vector<double> weights_of(double value) const {
    std::vector<double> weights(static_cast<std::size_t>(columns_) + 1);
    std::fill(weights.begin(), weights.end(), value);
    return weights;
  }

 private:
  RuleCase rule_;
  std::int64_t columns_;
  std::vector<TileSlice> slices_;
  std::unique_ptr<Backend> backend_;
  double scale_ = 1;
  std::int64_t number_ = 0;  // of the last step
};

/// The weights after `steps` full-batch steps of `rule`.
inline std::vector<double> weights_after(const BackendCase& backend_case, const RuleCase& rule,
                                         Layout layout, int steps, std::int64_t columns = 700) {
  RuleRun run(backend_case, rule, layout, columns);
  run.steps(steps);
  return run.weights();
}

/// The CPU's backend, as the others must be.
inline BackendCase cpu_reference() {
  return {.name = "cpu", .make = [](BackendRows rows, ModelSetup setup) {
            RunConfig config;
            config.device = Device::kCpu;
            return make_backend(config, {}, 2, std::move(rows), std::move(setup));
          }};
}

// Between backends of the same kind, from and to the CPU, and into one that has been used.
TEST_P(BackendContract, GoesOnFromASnapshotOfAnyBackendWithTheSameBits) {
  const BackendCase cpu = cpu_reference();
  for (const RuleCase& rule : rule_cases()) {
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
      for (const bool fold : {false, true}) {
        if (fold && rule.rule != UpdateRule::kScaled) continue;
        const auto train = [&](RuleRun& run) {
          run.steps(3);
          run.steps(1, fold);
        };
        RuleRun whole(cpu, rule, layout);
        train(whole);
        whole.steps(3);
        for (const auto& [from, to] : {std::pair{GetParam(), GetParam()},
                                       std::pair{GetParam(), cpu}, std::pair{cpu, GetParam()}}) {
          RuleRun first(from, rule, layout);
          train(first);
          RuleRun second(to, rule, layout);
          second.steps(2);
          second.backend().look_at(EvaluationPoint::kWeights);
          second.go_on_from(first);
          EXPECT_EQ(second.weights(), first.weights()) << rule.name;
          second.steps(3);
          EXPECT_EQ(second.weights(), whole.weights())
              << rule.name << " from " << from.name << " to " << to.name;
        }
      }
    }
  }
}

TEST_P(BackendContract, LeavesRoomForANoteBehindTheSums) {
  const BackendWithRows of(GetParam(), prepare_rows({.rows = 130, .columns = 17}, Layout::kDense));
  const auto slices = every_tile(of.tiles.shards);
  const auto expected = sums_of(*of.backend, slices, 44);
  for (const std::int64_t note : {std::int64_t{1}, INT64_MIN, INT64_MAX}) {
    const SumBuffer sums = of.backend->sums(MemorySpace::kHost);
    sums.data[sums.size] = note;
    of.backend->set_sums(sums);
    EXPECT_EQ(of.backend->totals().loss_floors, expected[18]);
    of.backend->sums(MemorySpace::kHost).data[sums.size] = 0;
    EXPECT_EQ(sums_of(*of.backend, slices, 44), expected);
  }
}

}  // namespace ossau::test
