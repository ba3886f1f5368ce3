// What looking at a model costs: log loss, scores, the area under the ROC curve and all metrics
// together, of a million rows, beside a bare read of what each must read.

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/ranking.hpp"
#include "ceiling.hpp"
#include "comm/single.hpp"
#include "loaded_rows.hpp"
#include "program.hpp"
#include "samples.hpp"
#include "train/evaluation.hpp"

namespace ossau::bench {
namespace {

using WorkOf = std::function<Timed(LoadedRows&)>;

struct Task {
  std::string name;
  WorkOf work;
};

Timed log_loss(LoadedRows& loaded) {
  return repeated([&loaded] { loaded.full_pass(); });
}

Timed scores(LoadedRows& loaded) {
  return repeated([&loaded] { loaded.scored_pass(); });
}

Timed all_metrics(LoadedRows& loaded) {
  const std::shared_ptr<Communicator> communicator = make_single_communicator();
  const auto evaluator =
      std::make_shared<Evaluator>(ModelConfig{}, Penalty{}, 1.0, *loaded.backend, *communicator);
  return repeated([&loaded, communicator, evaluator] { evaluator->evaluate(loaded.info, 1); });
}

void measure_task(benchmark::State& state, const Task& task, std::int64_t n_rows,
                  std::int64_t threads) {
  constexpr std::int64_t kFeatures = 28;
  TileSet rows = make_dense_rows(n_rows, kFeatures);
  Pair pair = full_pass_pair(rows, threads);
  LoadedRows loaded = load_rows(std::move(rows), threads);
  pair.work = task.work(loaded);
  measure_pairs(state, pair);
}

// The keys of real scores; each call sorts a fresh copy, which is not timed.
void measure_auc(benchmark::State& state, std::int64_t n_rows) {
  LoadedRows loaded = load_rows(make_dense_rows(n_rows, 4), 1);
  loaded.scored_pass();
  std::vector<std::int64_t> keys(static_cast<std::size_t>(n_rows));
  loaded.backend->ranking_keys(keys);
  const double bytes = 8 * static_cast<double>(n_rows);
  const auto area = [&keys] {
    std::vector<std::int64_t> copy = keys;
    return seconds_of([&copy] { benchmark::DoNotOptimize(area_under_curve(count_pairs(copy))); });
  };
  measure_pairs(state, {.work = area,
                        .reference = bare_read(bytes, 1),
                        .reference_name = "bare read",
                        .bytes = bytes,
                        .reference_bytes = bytes,
                        .entries = static_cast<double>(n_rows)});
}

}  // namespace

void add_rows(const Effort& effort) {
  const std::int64_t n_rows = effort.size(1'000'000, 2'000);
  const Task tasks[] = {{"log_loss/d=28", log_loss},
                        {"log_loss_and_scores/d=28", scores},
                        {"all_metrics/d=28", all_metrics}};
  for (const Task& task : tasks) {
    for (const std::int64_t threads : effort.threads) {
      add_row(effort, fmt::format("evaluation/{}/threads={}", task.name, threads),
              [=](benchmark::State& state) { measure_task(state, task, n_rows, threads); });
    }
  }
  add_row(effort, "evaluation/auc/threads=1",
          [=](benchmark::State& state) { measure_auc(state, n_rows); });
}

}  // namespace ossau::bench
