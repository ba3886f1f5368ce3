#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/cpu_backend.hpp"
#include "backend/prepared_rows.hpp"
#include "backend/reference_sums.hpp"

// Rules that keep untouched features' bits, on wide sparse rows: a backend may touch the listed
// features alone or all of them; neither may show.

namespace ossau::test {
namespace {

constexpr std::int64_t kColumns = 60000;
constexpr std::int64_t kTiles = 64;
constexpr double kL2 = 1.5;
constexpr double kRate = 0.4;  // a falls by 0.4 a step: a fold every seventh

// Rows of two entries and one of a feature that many have; some are empty, some spill.
PreparedRows wide_rows(bool ones) {
  Table table;
  for (std::int64_t i = 0; i < kTiles * 64 - 5; ++i) {
    add_spread_row(table, kColumns, i % 700 == 3 ? 300 : i % 4, ones);
    if (i % 3 == 0) continue;
    const std::uint32_t often[] = {0, 1, 15, 16, 17, kColumns - 1};
    // One more entry where it keeps the order.
    const std::uint32_t feature = often[i % 6];
    const auto begin = static_cast<std::size_t>(table.row_start[static_cast<std::size_t>(i)]);
    const auto at = std::lower_bound(table.index.begin() + static_cast<std::ptrdiff_t>(begin),
                                     table.index.end(), feature);
    if (at != table.index.end() && *at == feature) continue;
    table.value.insert(table.value.begin() + (at - table.index.begin()), ones ? 1.0 : 0.75);
    table.index.insert(at, feature);
    ++table.row_start.back();
  }
  PreparedRows prepared = prepare_table(table, kColumns, Layout::kSparse);
  prepared.setup.rule = UpdateRule::kScaled;
  prepared.setup.penalty.l2 = kL2;
  return prepared;
}

struct Step {
  std::vector<TileSlice> slices;
  StepParameters parameters;
};

constexpr int kBits = 44;  // as of a training: the 64 residuals of a tile have room

// Batches of one tile up to all of them, cut as a batch size would.
std::vector<Step> steps_of(const TileSet& tiles) {
  std::vector<Step> steps;
  double scale = 1;
  const auto every = every_tile(tiles.shards);
  for (const std::size_t size : {1, 64, 3, 57, 2, 64, 1, 1, 33, 64, 7, 0, 64, 12, 64, 64, 5}) {
    Step step;
    const std::size_t first = steps.size() * 5 % (every.size() - size + 1);
    step.slices.assign(every.begin() + static_cast<std::ptrdiff_t>(first),
                       every.begin() + static_cast<std::ptrdiff_t>(first + size));
    if (size > 0 && steps.size() % 2 == 0) {
      step.slices.front().row_begin = 40;
      step.slices.back().row_end -= 1;
    }
    const double reached = scale * (1 - kRate * kL2);
    const bool fold = std::fabs(reached) < 1.0 / 256;
    scale = fold ? 1 : reached;
    step.parameters = {
        .rate = kRate,
        .gradient_factor = std::ldexp(1.0 / (64.0 * static_cast<double>(size + 1)), -kBits),
        .scale = scale,
        .fold = fold,
        .fold_factor = reached};
    steps.push_back(step);
  }
  return steps;
}

/// The rule of docs/sparse_updates.md a second time, over all features.
class Reference {
 public:
  Reference(const TileSet& tiles, const ModelSetup& setup)
      : tiles_(tiles), setup_(setup), v_(static_cast<std::size_t>(tiles.features) + 1, 0.0) {}

  void take(const Step& step) {
    const auto sums = reference_sums(tiles_, step.slices, scoring_weights(v_, setup_), kBits,
                                     static_cast<float>(a_));
    const StepParameters& p = step.parameters;
    a_ = p.scale;
    const double rate = p.rate / a_;
    for (std::size_t j = 0; j + 1 < v_.size(); ++j) {
      if (p.fold) v_[j] *= p.fold_factor;
      v_[j] -= rate * (static_cast<double>(sums[j]) * p.gradient_factor * setup_.exponent_power[j]);
    }
    if (!setup_.intercept) return;
    v_.back() -= p.rate * (static_cast<double>(sums[v_.size() - 1]) * p.gradient_factor);
  }

  std::vector<double> weights() const {
    std::vector<double> weights = v_;
    for (std::size_t j = 0; j + 1 < v_.size(); ++j) weights[j] *= a_;
    return weights;
  }

 private:
  const TileSet& tiles_;
  const ModelSetup& setup_;
  std::vector<double> v_;
  double a_ = 1;
};

/// What happens between a gradient and its update, and between an update and the next gradient.
enum class Between { kNothing, kSums, kEvaluation };

// Passes as the trainer's evaluation makes them; their sums are left behind.
void evaluate(Backend& backend) {
  backend.look_at(EvaluationPoint::kWeights);
  backend.gradient_and_scores(RowSet::kTrain, kBits);
  backend.gradient_max(1e-15, kRate);
  backend.gradient_and_scores(RowSet::kValidation, kBits - 3);
  backend.look_at(EvaluationPoint::kRule);
}

struct Sample {
  PreparedRows rows;
  std::vector<Step> steps;
  std::vector<std::vector<double>> expected;  // after each step

  explicit Sample(bool ones, bool intercept = true) : rows(wide_rows(ones)) {
    rows.setup.intercept = intercept;
    steps = steps_of(rows.tiles);
    Reference reference(rows.tiles, rows.setup);
    for (const Step& step : steps) {
      reference.take(step);
      expected.push_back(reference.weights());
    }
  }
};

void expect_same_path(const Sample& sample, const CpuKernels& kernels, std::int64_t threads,
                      Between between) {
  const auto backend = make_cpu_backend(kernels, threads, Waiting::kSleep,
                                        {sample.rows.tiles, sample.rows.tiles}, sample.rows.setup);
  std::vector<double> weights(static_cast<std::size_t>(kColumns) + 1, 0.0);
  backend->set_weights(weights);
  for (std::size_t i = 0; i < sample.steps.size(); ++i) {
    const Step& step = sample.steps[i];
    backend->gradient(RowSet::kTrain, step.slices, kBits);
    if (between == Between::kSums) backend->sums(MemorySpace::kHost);
    backend->update(step.parameters);
    backend->get_weights(weights);
    ASSERT_EQ(weights, sample.expected[i]) << kernels.name << ", " << threads << " threads, step "
                                           << i << ", way " << static_cast<int>(between);
    if (between == Between::kEvaluation && i % 2 == 0) {
      evaluate(*backend);
    }
  }
}

void expect_same_paths(const Sample& sample) {
  for (const CpuKernels& kernels : available_kernels()) {
    for (const std::int64_t threads : {1, 2, 3, 7}) {
      for (const Between between : {Between::kNothing, Between::kSums, Between::kEvaluation}) {
        expect_same_path(sample, kernels, threads, between);
      }
    }
  }
}

// Otherwise the tests below would compare merged sums with merged sums.
TEST(ScaledDescent, OfTheseTestsListsItsFeatures) {
  for (const bool ones : {false, true}) {
    const Sample sample(ones);
    const auto& sparse = std::get<SparseTiles>(sample.rows.tiles.storage);
    EXPECT_EQ(sparse.implicit_ones(), ones);
    EXPECT_GT(sparse.spill_row.size(), 100u);
    // All tiles at once: what a list must hold, and what may be touched.
    EXPECT_LE(sparse.index.size() + sparse.spill_index.size(), std::size_t{kColumns});
    std::size_t entries = 0;
    std::set<std::uint32_t> features;
    for (std::size_t i = 0; i < std::size_t{kTiles} * 64; ++i) {
      for (const std::uint32_t j : entries_of(sample.rows.tiles, i / 64, i % 64).index) {
        ++entries;
        features.insert(j);
      }
    }
    EXPECT_LE(4 * entries, std::size_t{kColumns});
    EXPECT_LT(features.size(), entries) << "some must come twice";
    EXPECT_TRUE(sample.steps[6].parameters.fold) << "a must be folded on the way";
    EXPECT_NE(sample.expected[5], sample.expected[6]);
  }
}

TEST(ScaledDescent, TakesTheSamePathListedMergedAndByTheReference) {
  expect_same_paths(Sample(false));
}

TEST(ScaledDescent, TakesTheSamePathOnImplicitOnes) { expect_same_paths(Sample(true)); }

TEST(ScaledDescent, TakesTheSamePathWithoutAnIntercept) {
  const Sample sample(false, false);
  EXPECT_EQ(sample.expected.back().back(), 0.0);
  expect_same_path(sample, available_kernels().front(), 3, Between::kNothing);
  expect_same_path(sample, available_kernels().front(), 3, Between::kSums);
}

// Weights and states after every step, of sums that are listed or merged.
std::vector<std::vector<double>> adagrad_path(const PreparedRows& rows,
                                              const std::vector<Step>& steps, std::int64_t threads,
                                              Between between) {
  const auto backend = make_cpu_backend(available_kernels().front(), threads, Waiting::kSleep,
                                        {rows.tiles, rows.tiles}, rows.setup);
  backend->set_weights(std::vector<double>(static_cast<std::size_t>(kColumns) + 1, 0.0));
  std::vector<std::vector<double>> path;
  for (const Step& step : steps) {
    backend->gradient(RowSet::kTrain, step.slices, kBits);
    if (between == Between::kSums) backend->sums(MemorySpace::kHost);
    backend->update(step.parameters);
    const ModelSnapshot snapshot = backend->snapshot();
    path.push_back(snapshot.weights);
    path.push_back(snapshot.optimizer_state);
    if (between == Between::kEvaluation) evaluate(*backend);
  }
  return path;
}

TEST(Adagrad, TakesTheSamePathListedAndMerged) {
  for (const bool ones : {false, true}) {
    PreparedRows rows = wide_rows(ones);
    rows.setup.rule = UpdateRule::kAdagrad;
    rows.setup.settings = {{1e-10}};
    rows.setup.penalty = {};
    std::vector<Step> steps = steps_of(rows.tiles);
    for (Step& step : steps) {
      step.parameters = {.rate = kRate, .gradient_factor = step.parameters.gradient_factor};
    }
    const auto expected = adagrad_path(rows, steps, 1, Between::kSums);
    const std::vector<double>& last = expected.back();
    EXPECT_GT(std::count(last.begin(), last.end(), 0.0), kColumns / 2) << "most are untouched";
    for (const std::int64_t threads : {1, 2, 3, 7}) {
      for (const Between between : {Between::kNothing, Between::kSums, Between::kEvaluation}) {
        EXPECT_EQ(adagrad_path(rows, steps, threads, between), expected)
            << threads << " threads, way " << static_cast<int>(between);
      }
    }
  }
}

// With a penalty every feature moves: nothing may be listed.
TEST(Adagrad, ListsNothingUnderAPenalty) {
  for (const Penalty& penalty : {Penalty{.l1 = 0.1}, Penalty{.l2 = 0.1}, Penalty{}}) {
    PreparedRows rows = wide_rows(true);
    rows.setup.rule = UpdateRule::kAdagrad;
    rows.setup.settings = {{1e-10}};
    rows.setup.penalty = penalty;
    const auto backend = make_cpu_backend(available_kernels().front(), 1, Waiting::kSleep,
                                          {rows.tiles, rows.tiles}, rows.setup);
    EXPECT_EQ(backend->sparse_sums() != nullptr, penalty.l1 == 0 && penalty.l2 == 0);
  }
}

}  // namespace
}  // namespace ossau::test
