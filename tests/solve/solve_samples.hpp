#pragma once

#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "backend/prepared_rows.hpp"
#include "comm/threads.hpp"
#include "solve/objective.hpp"
#include "solve/solver.hpp"

namespace ossau::test {

/// The rows of a table for solvers, on ranks that are threads.
struct SolverSample {
  Table table;
  std::int64_t columns = 0;
  Layout layout = Layout::kDense;
  double l1 = 0;
  double l2 = 0.01;
  bool intercept = true;

  PreparedRows prepared(RankInfo rank = {}) const {
    return prepare_table(table, columns, layout, table.weight.empty() ? 1.0 : 0.5, rank);
  }

  ObjectiveSetup setup() const {
    const PreparedRows all = prepared();
    ColumnTransform transform;
    transform.exponent_power = all.setup.exponent_power;
    const auto rows = static_cast<double>(table.rows());
    return {.exponent_power = all.setup.exponent_power,
            .intercept = intercept,
            .penalties = {.l1 = l1, .l2 = l2},
            .rows = table.rows(),
            .total_weight = all.tiles.total_weight,
            .lipschitz =
                largest_row_norm(all.tiles, transform, true) / 4 * rows / all.tiles.total_weight};
  }

  /// What work(objective) gives on each of so many ranks.
  template <class Work>
  auto on_ranks(std::int64_t ranks, const Work& work) const {
    using Result = decltype(work(std::declval<Objective&>()));
    ThreadGroup group(ranks, 60);
    std::vector<Result> results(static_cast<std::size_t>(ranks));
    std::vector<std::thread> threads;
    for (std::int64_t k = 0; k < ranks; ++k) {
      threads.emplace_back([&, k] {
        PreparedRows mine = prepared({.rank = k, .size = ranks});
        RunConfig config;
        config.device = Device::kCpu;
        const auto backend = make_backend(config, {.rank = k, .size = ranks}, 1,
                                          {std::move(mine.tiles), {}}, mine.setup);
        const auto communicator = group.communicator(k);
        Objective objective(*backend->solver_passes(), *communicator, setup());
        objective.reserve(kSolverSlots, {.curvature = true});
        results[static_cast<std::size_t>(k)] = work(objective);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return results;
  }
};

}  // namespace ossau::test
