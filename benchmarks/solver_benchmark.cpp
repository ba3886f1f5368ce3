// What solvers ask of rows, beside what they cannot do without: a gradient pass over the same rows,
// its sums at hand.

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "costs.hpp"
#include "loaded_rows.hpp"
#include "program.hpp"
#include "samples.hpp"

namespace ossau::bench {
namespace {

using MakeRows = std::function<TileSet()>;

enum class Kind { kHessianTimes, kCurvature, kDiagonal, kLine, kGram };

struct Task {
  std::string name;
  Kind kind;
};

// Rows, and a point and a direction small enough that scores stay near 0.
struct Subject {
  LoadedRows loaded;
  std::vector<float> weights;

  Subject(TileSet rows, std::int64_t threads) : loaded(load_rows(std::move(rows), threads)) {
    weights.assign(static_cast<std::size_t>(loaded.info.features), 0x1p-10f);
    passes().reserve(2, 3);
    fused({.point = point(), .to = kZ, .fixed_bits = loaded.info.fixed_bits});
    fused({.point = point(), .to = kSpare, .fixed_bits = loaded.info.fixed_bits});
  }

  static constexpr ScoreSlot kZ{0};
  static constexpr ScoreSlot kSpare{1};

  SolverPasses& passes() { return *loaded.backend->solver_passes(); }
  ScoringPoint point() const { return {.weights = weights, .intercept = 0}; }
  void fused(const FusedPass& pass) { benchmark::DoNotOptimize(passes().fused(pass).data()); }

  void gradient() {
    loaded.full_pass();
    benchmark::DoNotOptimize(loaded.backend->sums(MemorySpace::kHost).data);
  }
  void run(Kind kind) {
    const int bits = loaded.info.fixed_bits;
    if (kind == Kind::kHessianTimes) {
      benchmark::DoNotOptimize(passes()
                                   .hessian_times({.direction = point(),
                                                   .at = kZ,
                                                   .to = kSpare,
                                                   .exponent = 10,
                                                   .fixed_bits = bits})
                                   .data());
    } else if (kind == Kind::kGram) {
      benchmark::DoNotOptimize(passes().gram(kZ).data());
    } else if (kind == Kind::kLine) {
      const float step = 1;
      benchmark::DoNotOptimize(passes()
                                   .line({.from = kZ,
                                          .along = kSpare,
                                          .steps = {&step, 1},
                                          .exponent = 10,
                                          .fixed_bits = bits})
                                   .data());
    } else {
      fused({.point = point(),
             .to = kSpare,
             .curvature = kind == Kind::kCurvature,
             .diagonal = kind == Kind::kDiagonal,
             .fixed_bits = bits});
    }
  }
};

void measure(benchmark::State& state, const Task& task, const MakeRows& make_rows,
             std::int64_t threads) {
  TileSet rows = make_rows();
  const PassCost cost = gradient_cost(rows);
  const auto subject = std::make_shared<Subject>(std::move(rows), threads);
  measure_pairs(state, {.work = repeated([=] { subject->run(task.kind); }),
                        .reference = repeated([=] { subject->gradient(); }),
                        .reference_name = "gradient pass",
                        .bytes = cost.bytes,
                        .reference_bytes = cost.bytes,
                        .flops = cost.flops,
                        .entries = cost.entries,
                        .threads = threads});
}

void add_task(const Effort& effort, const Task& task, const std::string& rows,
              const MakeRows& make_rows) {
  for (const std::int64_t threads : effort.threads) {
    add_row(effort, fmt::format("solver/{}/{}/threads={}", task.name, rows, threads),
            [=](benchmark::State& state) { measure(state, task, make_rows, threads); });
  }
}

void add_tasks(const Effort& effort, const std::string& rows, const MakeRows& make_rows) {
  const Task tasks[] = {{"hessian_times", Kind::kHessianTimes},
                        {"fused_with_curvature", Kind::kCurvature},
                        {"fused_with_diagonal", Kind::kDiagonal},
                        {"line", Kind::kLine}};
  for (const Task& task : tasks) add_task(effort, task, rows, make_rows);
}

// Of rows in the last cache: a Gram matrix takes so many passes that memory hardly matters.
void add_gram_tasks(const Effort& effort) {
  const Task gram{"gram", Kind::kGram};
  for (const std::int64_t features : {28, 108, 565, 2'000}) {
    const std::int64_t tiles =
        std::max<std::int64_t>(1, effort.cache_bytes / (features * kTileRows * 4));
    add_task(effort, gram, fmt::format("dense_in_cache/d={}", features),
             [=] { return make_dense_rows(tiles * kTileRows, features); });
  }
  SparseShape shape{.rows = effort.size(50'000, 1'000), .features = 1'000};
  add_task(effort, gram, "sparse_ones/d=1000", [=] { return make_sparse_rows(shape); });
  shape.values = true;
  add_task(effort, gram, "sparse_values/d=1000", [=] { return make_sparse_rows(shape); });
}

}  // namespace

void add_rows(const Effort& effort) {
  for (const std::int64_t features : {28, 100, 784}) {
    const std::int64_t tiles =
        std::max<std::int64_t>(1, effort.memory_bytes / (features * kTileRows * 4));
    add_tasks(effort, fmt::format("dense/d={}", features),
              [=] { return make_dense_rows(tiles * kTileRows, features); });
  }
  SparseShape shape{.rows = effort.size(1'000'000, 1'000)};
  add_tasks(effort, "sparse_ones/d=1000000", [=] { return make_sparse_rows(shape); });
  shape.values = true;
  add_tasks(effort, "sparse_values/d=1000000", [=] { return make_sparse_rows(shape); });
  add_gram_tasks(effort);
}

}  // namespace ossau::bench
