#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arith/gram.hpp"
#include "backend/backend_case.hpp"
#include "backend/prepared_rows.hpp"
#include "backend/reference_solver_sums.hpp"
#include "backend/solver_passes.hpp"
#include "data/statistics.hpp"

namespace ossau::test {

/// One cell of the table that every implementation of SolverPasses must fill, bit for bit.
struct SolverCase {
  BackendCase backend;
  Layout layout = Layout::kDense;
  std::int64_t ranks = 1;
};

inline std::vector<SolverCase> solver_cases(const std::vector<BackendCase>& backends) {
  std::vector<SolverCase> cases;
  for (const BackendCase& backend : backends) {
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
      for (const std::int64_t ranks : {1, 3}) cases.push_back({backend, layout, ranks});
    }
  }
  return cases;
}

inline std::string name_of(const SolverCase& each) {
  return each.backend.name + (each.layout == Layout::kDense ? "_dense_" : "_sparse_") +
         std::to_string(each.ranks) + (each.ranks == 1 ? "_rank" : "_ranks");
}

inline std::ostream& operator<<(std::ostream& out, const SolverCase& each) {
  return out << name_of(each);
}

/// The rows of a table in the backends of several ranks, some of which may have none.
class RankedPasses {
 public:
  RankedPasses(const SolverCase& each, const Table& table, std::int64_t columns,
               double weight_scale) {
    PreparedRows all = prepare_table(table, columns, each.layout, weight_scale);
    tiles = std::move(all.tiles);
    setup = std::move(all.setup);
    bits = fixed_point_bits(tiles.shards.rows());
    for (std::int64_t k = 0; k < each.ranks; ++k) {
      PreparedRows mine =
          prepare_table(table, columns, each.layout, weight_scale, {.rank = k, .size = each.ranks});
      backends_.push_back(each.backend.make({std::move(mine.tiles), {}}, setup));
      passes().back()->reserve(5, 3);
    }
  }

  std::vector<SolverPasses*> passes() const {
    std::vector<SolverPasses*> all;
    for (const auto& backend : backends_) all.push_back(backend->solver_passes());
    return all;
  }

  /// The ranks' sums of one pass, added.
  template <class Pass>
  std::vector<std::int64_t> sums(Pass&& pass) const {
    std::vector<std::int64_t> total;
    for (SolverPasses* of_rank : passes()) {
      const std::span<const std::int64_t> sums = pass(*of_rank);
      total.resize(sums.size());
      for (std::size_t k = 0; k < sums.size(); ++k) total[k] += sums[k];
    }
    return total;
  }
  std::vector<std::int64_t> fused(const FusedPass& pass) const {
    return sums([&](SolverPasses& of_rank) { return of_rank.fused(pass); });
  }
  std::vector<std::int64_t> hessian_times(const HessianPass& pass) const {
    return sums([&](SolverPasses& of_rank) { return of_rank.hessian_times(pass); });
  }
  std::vector<std::int64_t> gram(ScoreSlot at) const {
    return sums([&](SolverPasses& of_rank) { return of_rank.gram(at); });
  }
  std::vector<std::int64_t> line(const LinePass& pass) const {
    return sums([&](SolverPasses& of_rank) { return of_rank.line(pass); });
  }

  /// The slot's scores of all rows, in order.
  std::vector<float> scores(ScoreSlot slot) const {
    std::vector<float> all;
    for (std::size_t k = 0; k < backends_.size(); ++k) {
      const auto of_rank = backends_[k]->every_tile(RowSet::kTrain);
      std::vector<float> mine(of_rank.size() * 64);
      passes()[k]->get_scores(slot, mine);
      all.insert(all.end(), mine.begin(), mine.end());
    }
    all.resize(row_count(tiles));  // only the last tile lacks rows
    return all;
  }

  TileSet tiles;  // of all ranks
  ModelSetup setup;
  int bits = 0;

 private:
  std::vector<std::unique_ptr<Backend>> backends_;
};

/// Weights [d + 1] as they score, and as passes want them.
struct TestPoint {
  std::vector<float> weights;

  TestPoint(const ModelSetup& setup, double size, std::uint64_t seed) {
    std::vector<double> random;
    for (std::size_t j = 0; j <= setup.exponent_power.size(); ++j) {
      random.push_back(size * (uniform(seed, j) - 0.5));
    }
    weights = scoring_weights(random, setup);
  }
  ScoringPoint point() const {
    return {.weights = std::span(weights).first(weights.size() - 1), .intercept = weights.back()};
  }
};

inline constexpr ScoreSlot kZ{0};
inline constexpr ScoreSlot kDz{1};
inline constexpr ScoreSlot kSpare{2};

/// What every test of a table walks through: narrow, wide, cut, weighted, empty of entries,
/// spilled.
class SolverContract : public ::testing::TestWithParam<SolverCase> {
 protected:
  void SetUp() override {
    if (!GetParam().backend.why_not.empty()) GTEST_SKIP() << GetParam().backend.why_not;
  }

  template <class Check>
  void each_table(const Check& check) const {
    std::vector<TableShape> shapes = {
        {.rows = 1, .columns = 1},
        {.rows = 63, .columns = 17, .density = 0.8},
        {.rows = 64 * 9 + 5, .columns = 33, .density = 0.7},
        {.rows = 64 * 5, .columns = 40, .density = 0.5, .weighted = true, .column_factor = 0.7},
        {.rows = 200, .columns = 24, .density = 0.3, .ones = true},
        {.rows = 70, .columns = 300, .density = 0.9},
        {.rows = 66, .columns = 850, .density = 0.9},
        {.rows = 130, .columns = 5, .density = 0}};
    for (const TableShape& shape : shapes) {
      SCOPED_TRACE(std::to_string(shape.rows) + " x " + std::to_string(shape.columns));
      check(RankedPasses(GetParam(), make_table(shape), shape.columns, shape.weighted ? 0.5 : 1));
    }
    if (GetParam().layout == Layout::kDense) return;
    for (const bool ones : {false, true}) {
      SCOPED_TRACE(ones ? "spilled ones" : "spilled");
      Table table;
      for (std::int64_t i = 0; i < 150; ++i) {
        add_spread_row(table, 1500, i % 40 == 7 ? 600 : i % 9, ones);
      }
      const RankedPasses rows(GetParam(), table, 1500, 1);
      ASSERT_GT(std::get<SparseTiles>(rows.tiles.storage).spill_row.size(), 1000u);
      check(rows);
    }
  }
};

/// A run of sums beside its reference.
inline void expect_run(const std::vector<std::int64_t>& sums, std::size_t run,
                       const std::vector<std::int64_t>& expected) {
  const auto first = sums.begin() + static_cast<std::ptrdiff_t>(run * expected.size());
  EXPECT_EQ(std::vector<std::int64_t>(first, first + static_cast<std::ptrdiff_t>(expected.size())),
            expected)
      << "run " << run;
}

inline void expect_fused(const RankedPasses& rows, const std::vector<float>& weights,
                         const FusedPass& pass) {
  const std::vector<std::int64_t> sums = rows.fused(pass);
  const auto d = static_cast<std::size_t>(rows.tiles.features);
  const SolverSumLayout layout{.features = d, .runs = pass.runs()};
  ASSERT_EQ(sums.size(), layout.size());
  // The gradient's own reference has the first run and the totals.
  const auto gradient =
      reference_sums(rows.tiles, every_tile(rows.tiles.shards), weights, rows.bits);
  expect_run(sums, 0, {gradient.begin(), gradient.end() - 4});
  EXPECT_TRUE(std::equal(gradient.end() - 4, gradient.end(),
                         sums.begin() + static_cast<std::ptrdiff_t>(layout.totals())));
  const std::vector<float> scores = rows.scores(pass.to);
  const std::vector<float> expected = reference_scores(rows.tiles, weights);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    ASSERT_EQ(bit_copy<std::uint32_t>(scores[i]), bit_copy<std::uint32_t>(expected[i])) << i;
  }
  const auto h = reference_curvatures(rows.tiles, expected);
  if (pass.curvature) expect_run(sums, 1, reference_run(rows.tiles, h, false, rows.bits));
  if (pass.diagonal) {
    expect_run(sums, pass.runs() - 1, reference_run(rows.tiles, h, true, rows.bits));
  }
}

TEST_P(SolverContract, FusedAddsAsTheReference) {
  each_table([](const RankedPasses& rows) {
    const TestPoint at(rows.setup, 1.0, 5);
    for (const bool curvature : {false, true}) {
      for (const bool diagonal : {false, true}) {
        expect_fused(rows, at.weights,
                     {.point = at.point(),
                      .to = kZ,
                      .curvature = curvature,
                      .diagonal = diagonal,
                      .fixed_bits = rows.bits});
      }
    }
  });
}

TEST_P(SolverContract, HessianTimesAddsAsTheReference) {
  each_table([](const RankedPasses& rows) {
    const TestPoint at(rows.setup, 2.0, 5);
    const double bound = row_bound(rows.tiles, rows.setup.exponent_power);
    rows.fused({.point = at.point(), .to = kZ, .fixed_bits = rows.bits});
    for (const double size : {1e-6, 1.0, 1e4}) {
      const TestPoint p(rows.setup, size, 6);
      const double norm = direction_norm(p.weights, rows.setup.exponent_power);
      const int exponent = ceil_exponent(1.001 * bound * norm / 4);
      const auto sums = rows.hessian_times({.direction = p.point(),
                                            .at = kZ,
                                            .to = kDz,
                                            .exponent = exponent,
                                            .fixed_bits = rows.bits});
      const auto scores = reference_scores(rows.tiles, p.weights);
      EXPECT_EQ(rows.scores(kDz), scores);
      const ReferenceHessian expected =
          reference_hessian(rows.tiles, rows.scores(kZ), scores, exponent);
      for (const float h : expected.coefficients) ASSERT_LE(std::fabs(h), 1.0f);
      expect_run(sums, 0, reference_run(rows.tiles, expected.coefficients, false, rows.bits));
      EXPECT_EQ(std::vector<std::int64_t>(sums.end() - 4, sums.end()),
                (std::vector<std::int64_t>{0, 0, 0, 0}));
    }
  });
}

TEST_P(SolverContract, LineAddsAsTheReference) {
  each_table([](const RankedPasses& rows) {
    const TestPoint at(rows.setup, 1.0, 5);
    const TestPoint p(rows.setup, 0.3, 6);
    const double norm = direction_norm(p.weights, rows.setup.exponent_power);
    const int exponent =
        ceil_exponent(1.001 * row_bound(rows.tiles, rows.setup.exponent_power) * norm);
    rows.fused({.point = at.point(), .to = kZ, .fixed_bits = rows.bits});
    rows.fused({.point = p.point(), .to = kDz, .fixed_bits = rows.bits});
    const std::vector<float> steps = {0, 1, 0.37f, -2, 1e-20f, 1e4f, 3e38f, 7};
    for (const std::size_t count : {std::size_t{1}, kMostLineSteps}) {
      const auto sums = rows.line({.from = kZ,
                                   .along = kDz,
                                   .steps = std::span(steps).first(count),
                                   .exponent = exponent,
                                   .fixed_bits = rows.bits});
      ASSERT_EQ(sums.size(), count * LineSumLayout::kNumbers);
      for (std::size_t t = 0; t < count; ++t) {
        expect_run(sums, t,
                   reference_line(rows.tiles, rows.scores(kZ), rows.scores(kDz), steps[t], exponent,
                                  rows.bits));
      }
    }
  });
}

TEST_P(SolverContract, SlotsAreAddedSubtractedCopiedAndMeasured) {
  each_table([](const RankedPasses& rows) {
    const TestPoint at(rows.setup, 1.0, 5);
    const TestPoint p(rows.setup, 0.3, 6);
    rows.fused({.point = at.point(), .to = kZ, .fixed_bits = rows.bits});
    rows.fused({.point = p.point(), .to = kDz, .fixed_bits = rows.bits});
    const auto z = rows.scores(kZ);
    const auto dz = rows.scores(kDz);
    for (SolverPasses* of_rank : rows.passes()) {
      of_rank->copy(kZ, kSpare);
      of_rank->add_scaled(0.1f, kDz, kSpare);
      of_rank->subtract(kSpare, kZ, kZ);
    }
    const auto sum = rows.scores(kSpare);
    const auto difference = rows.scores(kZ);
    float largest = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      ASSERT_EQ(sum[i], std::fma(0.1f, dz[i], z[i]));
      ASSERT_EQ(difference[i], sum[i] - z[i]);
      largest = std::max(largest, std::fabs(dz[i]));
    }
    float found = 0;
    for (SolverPasses* of_rank : rows.passes()) {
      found = std::max(found, of_rank->largest(kDz));
    }
    EXPECT_EQ(found, largest);
  });
}

TEST_P(SolverContract, CountsScoresThatAreNotFinite) {
  const TableShape shape{.rows = 100, .columns = 10};
  const RankedPasses rows(GetParam(), make_table(shape), shape.columns, 1);
  const TestPoint small(rows.setup, 1.0, 5);
  const TestPoint huge(rows.setup, 1e39, 6);
  const TestPoint large(rows.setup, 1e12, 7);
  expect_fused(rows, large.weights,
               {.point = large.point(), .to = kZ, .diagonal = true, .fixed_bits = rows.bits});
  expect_fused(rows, huge.weights,
               {.point = huge.point(), .to = kZ, .curvature = true, .fixed_bits = rows.bits});
  float largest = 0;
  for (SolverPasses* of_rank : rows.passes()) largest = std::max(largest, of_rank->largest(kZ));
  EXPECT_EQ(largest, std::numeric_limits<float>::infinity());
  // Either slot's, and both.
  const auto not_finite = [&](const TestPoint& direction) {
    const auto sums = rows.hessian_times({.direction = direction.point(),
                                          .at = kZ,
                                          .to = kDz,
                                          .exponent = 10,
                                          .fixed_bits = rows.bits});
    const ReferenceHessian expected =
        reference_hessian(rows.tiles, rows.scores(kZ), rows.scores(kDz), 10);
    expect_run(sums, 0, reference_run(rows.tiles, expected.coefficients, false, rows.bits));
    EXPECT_EQ(sums[sums.size() - 2], expected.not_finite);
    return expected.not_finite;
  };
  EXPECT_EQ(not_finite(huge), 200);
  EXPECT_EQ(not_finite(small), 100);
  rows.fused({.point = small.point(), .to = kZ, .fixed_bits = rows.bits});
  EXPECT_EQ(not_finite(huge), 100);
  const std::vector<float> steps = {0, 1};
  const auto sums = rows.line(
      {.from = kZ, .along = kDz, .steps = steps, .exponent = 10, .fixed_bits = rows.bits});
  for (std::size_t t = 0; t < 2; ++t) {
    const auto expected =
        reference_line(rows.tiles, rows.scores(kZ), rows.scores(kDz), steps[t], 10, rows.bits);
    expect_run(sums, t, expected);
    EXPECT_EQ(expected[2], 200);
  }
}

/// What the sums stand for, in float64; [d + 1] with the weight |c||x| of what was added.
struct ExpectedValues {
  std::vector<double> sum;
  std::vector<double> size;
};

/// coefficient(i): what row i adds for every x, without c.
template <class Coefficient>
ExpectedValues values_in_float64(const TileSet& tiles, bool squared,
                                 const Coefficient& coefficient) {
  const auto d = static_cast<std::size_t>(tiles.features);
  ExpectedValues values{std::vector<double>(d + 1), std::vector<double>(d + 1)};
  for (std::size_t i = 0; i < row_count(tiles); ++i) {
    const double c = std::fabs(static_cast<double>(tiles.signed_weight[i]));
    RowEntries row = entries_of(tiles, i / 64, i % 64);
    row.index.push_back(static_cast<std::uint32_t>(d));
    row.value.push_back(1);
    for (std::size_t k = 0; k < row.index.size(); ++k) {
      const double x = row.value[k];
      values.sum[row.index[k]] += c * coefficient(i) * (squared ? x * x : x);
      values.size[row.index[k]] += c * std::fabs(x);
    }
  }
  return values;
}

// Scores of size z are good to 2^-20 |z| here and curvatures change by a tenth of that: what a row
// adds, at most its c |x|, is good to 2^-20.  The fixed point's rounding is far below.
inline void expect_values(const std::vector<std::int64_t>& sums, std::size_t run, int exponent,
                          int bits, const ExpectedValues& expected) {
  for (std::size_t j = 0; j < expected.sum.size(); ++j) {
    const double value =
        std::ldexp(static_cast<double>(sums[run * expected.sum.size() + j]), exponent - bits);
    EXPECT_NEAR(value, expected.sum[j], std::ldexp(expected.size[j], -20) + 1e-9)
        << "run " << run << ", " << j;
  }
}

TEST_P(SolverContract, GivesTheValuesOfTheFormulas) {
  const TableShape shape{.rows = 300, .columns = 20, .density = 0.6, .weighted = true};
  const RankedPasses rows(GetParam(), make_table(shape), shape.columns, 0.5);
  const TestPoint at(rows.setup, 1.0, 5);
  const TestPoint p(rows.setup, 0.5, 6);
  const auto score = [&](const TestPoint& of, std::size_t i) {
    const RowEntries row = entries_of(rows.tiles, i / 64, i % 64);
    double z = of.weights.back();
    for (std::size_t k = 0; k < row.index.size(); ++k) {
      z += static_cast<double>(row.value[k]) * static_cast<double>(of.weights[row.index[k]]);
    }
    return z;
  };
  const auto curve = [](double z) {
    const double e = std::exp(-std::fabs(z));
    return e / ((1 + e) * (1 + e));
  };
  const auto d_of = [&](std::size_t i) { return curve(score(at, i)); };
  const auto fused = rows.fused({.point = at.point(),
                                 .to = kZ,
                                 .curvature = true,
                                 .diagonal = true,
                                 .fixed_bits = rows.bits});
  expect_values(fused, 1, 0, rows.bits, values_in_float64(rows.tiles, false, d_of));
  expect_values(fused, 2, 0, rows.bits, values_in_float64(rows.tiles, true, d_of));

  const double bound = row_bound(rows.tiles, rows.setup.exponent_power);
  const double norm = direction_norm(p.weights, rows.setup.exponent_power);
  const int exponent = ceil_exponent(1.001 * bound * norm / 4);
  const auto product = rows.hessian_times(
      {.direction = p.point(), .at = kZ, .to = kDz, .exponent = exponent, .fixed_bits = rows.bits});
  expect_values(
      product, 0, exponent, rows.bits,
      values_in_float64(rows.tiles, false, [&](std::size_t i) { return d_of(i) * score(p, i); }));

  const std::vector<float> steps = {0, 0.5f, 2};
  const int of_line = ceil_exponent(1.001 * bound * norm);
  const auto line = rows.line(
      {.from = kZ, .along = kDz, .steps = steps, .exponent = of_line, .fixed_bits = rows.bits});
  for (std::size_t t = 0; t < steps.size(); ++t) {
    double loss = 0;
    double first = 0;
    double second = 0;
    for (std::size_t i = 0; i < row_count(rows.tiles); ++i) {
      const double c = rows.tiles.signed_weight[i];
      const double z = score(at, i) + static_cast<double>(steps[t]) * score(p, i);
      const double m = c < 0 ? -z : z;
      loss += std::fabs(c) * std::log1p(std::exp(m));
      first += c * score(p, i) / (1 + std::exp(-m));
      second += std::fabs(c) * curve(z) * score(p, i) * score(p, i);
    }
    const std::int64_t* sums = line.data() + t * LineSumLayout::kNumbers;
    const double tolerance = std::ldexp(rows.tiles.total_weight, -20);  // as above
    EXPECT_NEAR(loss_value(sums[0], sums[1]), loss, tolerance);
    EXPECT_NEAR(std::ldexp(static_cast<double>(sums[LineSumLayout::kFirst]), of_line - rows.bits),
                first, tolerance * norm * bound);
    EXPECT_NEAR(
        std::ldexp(static_cast<double>(sums[LineSumLayout::kSecond]), 2 * of_line - rows.bits),
        second, tolerance * norm * norm * bound * bound);
  }
}

/// The Gram matrix at the scores of weights `point` is the reference, which it returns.
inline std::vector<std::int64_t> expect_gram(const RankedPasses& rows, const TestPoint& point) {
  rows.fused({.point = point.point(), .to = kZ, .fixed_bits = rows.bits});
  std::vector<std::int64_t> expected = reference_gram(rows.tiles, rows.scores(kZ));
  EXPECT_EQ(rows.gram(kZ), expected);
  return expected;
}

TEST_P(SolverContract, GramAddsAsTheReference) {
  each_table([](const RankedPasses& rows) { expect_gram(rows, TestPoint(rows.setup, 1.0, 5)); });
}

// Not finite: D = 1/4.  Large: D = 0.  Nothing of one may be left for the next.
TEST_P(SolverContract, GramTakesAnyScores) {
  const TableShape shape{.rows = 100, .columns = 10};
  const RankedPasses rows(GetParam(), make_table(shape), shape.columns, 1);
  for (const double size : {1.0, 1e39, 30.0, 1e12, 1e3}) {
    SCOPED_TRACE(size);
    expect_gram(rows, TestPoint(rows.setup, size, 5));
  }
}

// Sums of 32 bits would overflow: every row has D = 1/4 and x = +-1.
TEST_P(SolverContract, GramHoldsTheLargestEntriesOfManyRows) {
  constexpr std::int64_t kRows = 64 * 40;
  constexpr std::int64_t kColumns = 3;
  Table table;
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t j = 0; j < kColumns; ++j) {
      table.index.push_back(static_cast<std::uint32_t>(j));
      table.value.push_back(j == 1 || (j == 2 && i % 3 == 0) ? -1 : 1);
    }
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
    table.label.push_back(i % 2 == 0 ? 1 : 0);
  }
  const RankedPasses rows(GetParam(), table, kColumns, 1);
  const auto sums = expect_gram(rows, TestPoint(rows.setup, 0, 5));
  const GramLayout layout{kColumns};
  constexpr std::int64_t kLargest = kRows << 24;
  EXPECT_EQ(sums[layout.row(0)], kLargest);
  EXPECT_EQ(sums[layout.row(0) + 1], -kLargest);
  EXPECT_EQ(sums[layout.row(kColumns)], kLargest);
}

TEST_P(SolverContract, GramIsTheMatrixOfTheFormula) {
  const TableShape shape{.rows = 300, .columns = 20, .density = 0.6, .weighted = true};
  const RankedPasses rows(GetParam(), make_table(shape), shape.columns, 0.5);
  const TestPoint at(rows.setup, 1.0, 5);
  rows.fused({.point = at.point(), .to = kZ, .fixed_bits = rows.bits});
  const auto scores = rows.scores(kZ);
  const auto sums = rows.gram(kZ);
  const GramLayout layout{static_cast<std::size_t>(shape.columns)};
  ASSERT_EQ(sums.size(), layout.size());
  std::vector<double> expected(layout.size());
  std::vector<double> tolerance(layout.size());
  for (std::size_t row = 0; row < scores.size(); ++row) {
    const double e = std::exp(-std::fabs(static_cast<double>(scores[row])));
    const double c = std::fabs(static_cast<double>(rows.tiles.signed_weight[row]));
    const double root = std::sqrt(c * e) / (1 + e);
    std::vector<double> entries(layout.columns());
    const RowEntries stored = entries_of(rows.tiles, row / 64, row % 64);
    for (std::size_t k = 0; k < stored.index.size(); ++k) {
      entries[stored.index[k]] = root * static_cast<double>(stored.value[k]);
    }
    entries.back() = root;
    for (std::size_t i = 0; i < layout.columns(); ++i) {
      for (std::size_t j = i; j < layout.columns(); ++j) {
        const std::size_t place = layout.row(i) + j - i;
        expected[place] += entries[i] * entries[j];
        // An entry is off by half a unit of its last bit, 2^-14; float32 before is a hundredth.
        const double off = 1.01 * 0x1p-14;
        tolerance[place] += off * (std::fabs(entries[i]) + std::fabs(entries[j]) + off);
      }
    }
  }
  for (std::size_t place = 0; place < sums.size(); ++place) {
    EXPECT_NEAR(std::ldexp(static_cast<double>(sums[place]), -2 * kGramBits), expected[place],
                tolerance[place]);
  }
}

// Enough of everything that several threads share it.
TEST_P(SolverContract, AddsAsTheReferenceWhenThreadsShareTheWork) {
  const bool dense = GetParam().layout == Layout::kDense;
  const TableShape shape = dense ? TableShape{.rows = 64 * 40 + 17, .columns = 12}
                                 : TableShape{.rows = 64 * 14, .columns = 20000, .density = 0.002};
  const RankedPasses rows(GetParam(), make_table(shape), shape.columns, 1);
  const TestPoint at(rows.setup, 1.0, 5);
  expect_fused(rows, at.weights,
               {.point = at.point(),
                .to = kZ,
                .curvature = true,
                .diagonal = true,
                .fixed_bits = rows.bits});
  if (dense) expect_gram(rows, at);
}

}  // namespace ossau::test
