#include "simt/planted/cases.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include "backend/prepared_rows.hpp"

namespace ossau::test {
namespace {

constexpr int kBits = 44;
constexpr double kFactor = 0x1p-44;
constexpr double kRate = 0.4;
constexpr double kHighRate = 8;  // that overshoots

using SharedRows = std::shared_ptr<const PreparedRows>;

class Record {
 public:
  void add(std::int64_t value) { bits_.push_back(std::bit_cast<std::uint64_t>(value)); }
  void add(double value) { bits_.push_back(std::bit_cast<std::uint64_t>(value)); }
  void add(float value) { bits_.push_back(std::bit_cast<std::uint32_t>(value)); }
  template <class Values>
  void add_each(const Values& values) {
    for (const auto value : values) add(value);
  }
  void add(const StepTotals& totals) {
    add(totals.loss_floors);
    add(totals.loss_fractions);
    add(totals.not_finite);
    add(totals.clamped);
  }
  void add_weights(const Backend& backend, std::int64_t features) {
    std::vector<double> weights(static_cast<std::size_t>(features) + 1);
    backend.get_weights(weights);
    add_each(weights);
  }
  Bits take() { return std::move(bits_); }

 private:
  Bits bits_;
};

std::unique_ptr<Backend> backend_for(const PreparedRows& rows, const MakeBackend& make) {
  return make({rows.tiles, {}}, rows.setup);
}

// ---- Sums and scores

void add_pass(Record& record, Backend& backend, std::span<const TileSlice> slices) {
  backend.gradient(RowSet::kTrain, slices, kBits);
  record.add_each(backend.sums(MemorySpace::kHost).host());
}

// Whole tiles, then a batch that cuts some.
Bits sums_and_scores(const PreparedRows& rows, const MakeBackend& make) {
  const auto backend = backend_for(rows, make);
  backend->set_weights(random_weights(rows.tiles.features, 1.0));
  std::vector<TileSlice> slices = every_tile(rows.tiles.shards);
  Record record;
  add_pass(record, *backend, slices);
  std::reverse(slices.begin(), slices.end());
  slices.front().row_begin = 1;
  slices.back().row_end = 37;
  slices[slices.size() / 2].row_begin = 31;
  slices[slices.size() / 2].row_end = 33;
  add_pass(record, *backend, slices);
  backend->gradient_and_scores(RowSet::kTrain, kBits);
  record.add_each(backend->sums(MemorySpace::kHost).host());
  std::vector<std::int64_t> keys(static_cast<std::size_t>(rows.tiles.shards.rows()));
  backend->ranking_keys(keys);
  record.add_each(keys);
  return record.take();
}

// Losses beyond what a sum may take, and scores beyond float32.
Bits overflows(const PreparedRows& rows, const MakeBackend& make) {
  const auto backend = backend_for(rows, make);
  Record record;
  for (const double size : {1e12, 1e39}) {
    backend->set_weights(random_weights(rows.tiles.features, size));
    backend->gradient(RowSet::kTrain, backend->every_tile(RowSet::kTrain), kBits);
    record.add_each(backend->sums(MemorySpace::kHost).host());
  }
  return record.take();
}

// ---- Updates

// A descent whose rule of scaling folds every few steps.
std::vector<StepParameters> step_parameters(const ModelSetup& setup, std::size_t steps,
                                            double batch_rows) {
  std::vector<StepParameters> parameters;
  double scale = 1;
  // So that the sequence starts again now and then.
  const double rate = setup.rule == UpdateRule::kAdaptive ? kHighRate : kRate;
  for (std::size_t i = 0; i < steps; ++i) {
    StepParameters step{.rate = rate, .gradient_factor = kFactor / batch_rows};
    if (setup.rule == UpdateRule::kScaled) {
      step.fold_factor = scale * (1 - kRate * setup.penalty.l2);
      step.fold = std::fabs(step.fold_factor) < 1.0 / 16;
      step.scale = scale = step.fold ? 1 : step.fold_factor;
    }
    prepare_step(setup.rule, setup.settings, static_cast<std::int64_t>(i) + 1, step);
    parameters.push_back(step);
  }
  return parameters;
}

// Steps over batches of several sizes, as a host takes them.
Bits single_steps(const PreparedRows& rows, const MakeBackend& make) {
  const auto backend = backend_for(rows, make);
  backend->set_weights(std::vector<double>(static_cast<std::size_t>(rows.tiles.features) + 1, 0.0));
  const std::vector<TileSlice> every = every_tile(rows.tiles.shards);
  Record record;
  const auto parameters = step_parameters(rows.setup, 12, 100);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::size_t count = i % 3 == 0 ? every.size() : 1 + i % every.size();
    backend->gradient(RowSet::kTrain, std::span(every).first(count), kBits);
    record.add(backend->totals());
    record.add(backend->gradient_max(parameters[i].gradient_factor, kRate));
    backend->update(parameters[i]);
    record.add_weights(*backend, rows.tiles.features);
  }
  add_pass(record, *backend, every);
  return record.take();
}

// The steps of one epoch, with those calls that the backend prefers.
void take_epoch(Backend& backend, const TileSet& tiles, const BatchOrder& order,
                std::span<const StepParameters> parameters, std::span<StepTotals> totals) {
  const Range steps{0, order.steps_per_epoch()};
  if (StepGraphs* const graphs = backend.step_graphs()) {
    graphs->run({.order = order,
                 .steps = steps,
                 .fixed_bits = kBits,
                 .parameters = parameters,
                 .totals = totals,
                 .queue_reduction = {},
                 .await = {}});
    return;
  }
  std::vector<TileSlice> slices;
  for (std::int64_t step = 0; step < steps.end; ++step) {
    order.select(step, tiles.owned, slices);
    backend.gradient(RowSet::kTrain, slices, kBits);
    totals[static_cast<std::size_t>(step)] = backend.totals();
    backend.update(parameters[static_cast<std::size_t>(step)]);
  }
}

Bits minibatches(const PreparedRows& rows, std::int64_t batch_rows, const MakeBackend& make) {
  const auto backend = backend_for(rows, make);
  backend->set_weights(random_weights(rows.tiles.features, 0.1));
  BatchOrder order(rows.tiles.shards, batch_rows, 7);
  const auto steps = static_cast<std::size_t>(order.steps_per_epoch());
  const auto parameters = step_parameters(rows.setup, steps, static_cast<double>(batch_rows));
  Record record;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    order.start_epoch(epoch);
    std::vector<StepTotals> totals(steps);
    take_epoch(*backend, rows.tiles, order, parameters, totals);
    for (const StepTotals& of_step : totals) record.add(of_step);
    record.add_weights(*backend, rows.tiles.features);
  }
  return record.take();
}

// ---- Evaluation

// With weights 0 all scores are one: the cut lies on it, and every pair is tied.
Bits counts(const PreparedRows& rows, const MakeBackend& make) {
  const auto backend = backend_for(rows, make);
  Record record;
  for (const double size : {0.0, 1.0}) {
    backend->set_weights(random_weights(rows.tiles.features, size));
    backend->gradient_and_scores(RowSet::kTrain, kBits);
    const PredictionCounts predictions = backend->count_predictions(0.0);
    record.add_each(predictions.counts);
    const PairCounts pairs = backend->count_pairs();
    record.add(static_cast<std::int64_t>(pairs.twice_ordered));
    record.add(pairs.positives);
    record.add(pairs.negatives);
    std::vector<std::int64_t> keys(static_cast<std::size_t>(rows.tiles.shards.rows()));
    backend->ranking_keys(keys);
    record.add_each(keys);
  }
  return record.take();
}

// ---- Solvers

Bits solver_passes(const PreparedRows& rows, const MakeBackend& make) {
  constexpr int kExponent = 12;
  const auto d = static_cast<std::size_t>(rows.tiles.features);
  const auto backend = backend_for(rows, make);
  SolverPasses& passes = *backend->solver_passes();
  const std::vector<double> weights = random_weights(rows.tiles.features, 1.0);
  const std::vector<float> scoring(weights.begin(), weights.end());
  const ScoringPoint point{.weights = std::span(scoring).first(d), .intercept = scoring.back()};
  constexpr ScoreSlot kAt{0};
  constexpr ScoreSlot kAlong{1};
  passes.reserve(2, 3);
  Record record;
  for (const bool diagonal : {false, true}) {
    record.add_each(passes.fused(
        {.point = point, .to = kAt, .curvature = true, .diagonal = diagonal, .fixed_bits = kBits}));
  }
  record.add_each(passes.hessian_times(
      {.direction = point, .at = kAt, .to = kAlong, .exponent = kExponent, .fixed_bits = kBits}));
  const float steps[] = {0, 0.5F, 1};
  record.add_each(passes.line(
      {.from = kAt, .along = kAlong, .steps = steps, .exponent = kExponent, .fixed_bits = kBits}));
  record.add_each(passes.gram(kAt));
  record.add(passes.largest(kAlong));
  return record.take();
}

// ---- Rows

SharedRows shared(PreparedRows rows) { return std::make_shared<PreparedRows>(std::move(rows)); }

SharedRows dense_rows(std::int64_t rows, std::int64_t columns, double density = 0.3) {
  return shared(
      prepare_rows({.rows = rows, .columns = columns, .density = density}, Layout::kDense));
}

SharedRows weighted_rows(std::int64_t rows, std::int64_t columns) {
  return shared(prepare_rows({.rows = rows, .columns = columns, .density = 0.3, .weighted = true},
                             Layout::kDense));
}

// Rows around the length of a chunk, in slots and spilled, and short ones.
SharedRows sparse_rows(bool ones) {
  constexpr std::int64_t kColumns = 1500;
  Table table;
  for (const std::int64_t length : {3, 256, 600}) {
    for (std::int64_t i = 0; i < kTileRows; ++i) {
      add_spread_row(table, kColumns, i % 5 == 1 ? i + 2 : length, ones);
    }
  }
  for (const std::int64_t length : {0, 1, 257, 2, 4, 700}) {
    for (std::int64_t i = 0; i < 9; ++i) {
      add_spread_row(table, kColumns, i == 7 ? length : i, ones);
    }
  }
  return shared(prepare_table(table, kColumns, Layout::kSparse));
}

SharedRows narrow_sparse_rows() {
  constexpr std::int64_t kColumns = 60;
  Table table;
  for (std::int64_t i = 0; i < 3 * kTileRows + 5; ++i) {
    add_spread_row(table, kColumns, i % 50 == 7 ? 40 : i % 9, false);
  }
  return shared(prepare_table(table, kColumns, Layout::kSparse));
}

// Few of many features are touched, too many for a block to keep all of their sums.  Rows of both
// classes have them, so that sums return to 0 on the way and leave it again, and are listed twice.
SharedRows scaled_rows() {
  constexpr std::int64_t kColumns = 4000;
  Table table;
  for (std::int64_t i = 0; i < 7 * kTileRows + 9; ++i) {
    for (std::int64_t k = 0; k < 4; ++k) {
      table.index.push_back(static_cast<std::uint32_t>(i % 112 + 1000 * k));
      table.value.push_back(1);
    }
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
    table.label.push_back(uniform(3, static_cast<std::uint64_t>(i)) < 0.5 ? 1 : 0);
  }
  PreparedRows rows = prepare_table(table, kColumns, Layout::kSparse);
  rows.setup.rule = UpdateRule::kScaled;
  rows.setup.penalty.l2 = 1.5;
  return shared(std::move(rows));
}

SharedRows with_rule(const SharedRows& rows, UpdateRule rule, const Penalty& penalty) {
  PreparedRows changed = *rows;
  changed.setup.rule = rule;
  changed.setup.penalty = penalty;
  changed.setup.settings = {{0.9, 0.99, 1e-8}};
  return shared(std::move(changed));
}

// ---- Devices

simt::Limits device(int multiprocessors, std::size_t shared_kib) {
  simt::Limits limits;
  limits.multiprocessors = multiprocessors;
  limits.shared_bytes = shared_kib << 10;
  return limits;
}

PlantedCase sums_case(const std::string& name, const simt::Limits& limits, const SharedRows& rows,
                      std::optional<std::int64_t> memory_bytes = std::nullopt) {
  return {name, limits, memory_bytes,
          [rows](const MakeBackend& make) { return sums_and_scores(*rows, make); }};
}

PlantedCase overflow_case(const std::string& name, const SharedRows& rows) {
  return {name, device(2, 227), std::nullopt,
          [rows](const MakeBackend& make) { return overflows(*rows, make); }};
}

PlantedCase steps_case(const std::string& name, const SharedRows& rows) {
  return {name, device(2, 227), std::nullopt,
          [rows](const MakeBackend& make) { return single_steps(*rows, make); }};
}

PlantedCase solver_case(const std::string& name, const simt::Limits& limits,
                        const SharedRows& rows) {
  return {name, limits, std::nullopt,
          [rows](const MakeBackend& make) { return solver_passes(*rows, make); }};
}

PlantedCase run_case(const std::string& name, const SharedRows& rows, std::int64_t batch_rows) {
  return {name, device(2, 227), std::nullopt, [rows, batch_rows](const MakeBackend& make) {
            return minibatches(*rows, batch_rows, make);
          }};
}

}  // namespace

std::vector<PlantedCase> planted_cases() {
  const Penalty l1{.l1 = 0.01, .l2 = 0, .pseudo_huber = 0, .delta = 1};
  const Penalty l2{.l1 = 0, .l2 = 0.01, .pseudo_huber = 0, .delta = 1};
  const SharedRows two_blocks = dense_rows(300, 300);
  const SharedRows sparse = sparse_rows(false);
  const SharedRows scaled = scaled_rows();
  const SharedRows many = dense_rows(64 * 66 + 5, 3);
  return {// One multiprocessor: its rings are filled again and again.
          sums_case("dense, narrow", device(1, 44), dense_rows(64 * 40 + 17, 12)),
          sums_case("dense, groups", device(1, 120), dense_rows(64 * 13 + 1, 100)),
          sums_case("dense, chunks", device(1, 120), dense_rows(64 * 9 + 1, 300)),
          sums_case("dense, unequal chunks", device(1, 1024), dense_rows(64 * 20 + 1, 258)),
          sums_case("dense, teams of three", device(1, 227), dense_rows(64 * 5 + 1, 600)),
          sums_case("wide", device(2, 227), dense_rows(64 * 4 + 1, 850)),
          sums_case("wide, one warp", device(1, 56), dense_rows(64 * 4 + 1, 300)),
          sums_case("wide, two windows", device(1, 56), dense_rows(64 * 9 + 1, 6007, 0.01)),
          sums_case("sparse", device(2, 227), sparse),
          sums_case("sparse, shared tiles", device(16, 227), sparse),
          sums_case("sparse, ones", device(2, 227), sparse_rows(true)),
          sums_case("sparse, streamed", device(2, 227), sparse, 100'000),
          sums_case("dense, streamed", device(2, 227), two_blocks, 100'000),
          overflow_case("dense, overflows", two_blocks),
          overflow_case("sparse, overflows", sparse),
          steps_case("descent", with_rule(two_blocks, UpdateRule::kDescent, l2)),
          steps_case("momentum", with_rule(two_blocks, UpdateRule::kMomentum, l1)),
          steps_case("nesterov", with_rule(two_blocks, UpdateRule::kNesterov, l1)),
          steps_case("adaptive", with_rule(two_blocks, UpdateRule::kAdaptive, l2)),
          steps_case("adam", with_rule(two_blocks, UpdateRule::kAdam, l1)),
          steps_case("scaled, listed", scaled),
          steps_case("adagrad, listed", with_rule(scaled, UpdateRule::kAdagrad, {})),
          run_case("run, dense", dense_rows(64 * 21 + 5, 12), 100),
          run_case("run, blocks that meet", dense_rows(64 * 70 + 5, 200), 64 * 12),
          run_case("run, wide", dense_rows(64 * 6 + 5, 850), 64),
          run_case("run, scaled", scaled, 37),
          run_case("run, adam", with_rule(dense_rows(64 * 5 + 3, 12), UpdateRule::kAdam, l2), 100),
          solver_case("solver, dense", device(2, 227), weighted_rows(64 * 5 + 1, 70)),
          solver_case("solver, wide", device(2, 56), weighted_rows(64 * 2 + 1, 300)),
          solver_case("solver, sparse", device(2, 227), narrow_sparse_rows()),
          {"evaluation", device(2, 227), std::nullopt,
           [many](const MakeBackend& make) { return counts(*many, make); }}};
}

}  // namespace ossau::test
