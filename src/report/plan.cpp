#include "report/plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "backend/backend.hpp"
#include "comm/process/tcp_transport.hpp"
#include "comm/single.hpp"
#include "core/machine.hpp"
#include "core/thread_pool.hpp"
#include "data/read.hpp"
#include "train/preparation.hpp"

namespace ossau {
namespace {

constexpr double kNumberBytes = sizeof(std::int64_t);
constexpr double kValueBytes = sizeof(float);
constexpr double kEntryBytes = sizeof(float) + sizeof(std::uint32_t);  // value and feature
// Of a feature in an update: the sum is read (8), weight and velocity are read and written (16
// each), and the weight's float32 copy is written (4).
constexpr double kUpdateBytes = 44;
constexpr double kShare = 0.1;

double row_bytes(const PlanData& data) {
  return data.entries_a_row ? *data.entries_a_row * kEntryBytes
                            : static_cast<double>(data.features) * kValueBytes;
}

}  // namespace

double all_reduce_s(std::int64_t numbers, std::int64_t ranks, const Network& network) {
  if (ranks <= 1) return 0;
  const auto corners = std::bit_floor(static_cast<std::uint64_t>(ranks));
  const auto axes = static_cast<double>(std::bit_width(corners) - 1);
  const double bytes_s = static_cast<double>(numbers) * kNumberBytes / network.bytes_per_second;
  const auto size = static_cast<double>(corners);
  const double cube_s = numbers <= static_cast<std::int64_t>(kFewNumbers)
                            ? axes * (network.latency_s + bytes_s)
                            : 2 * axes * network.latency_s + 2 * (size - 1) / size * bytes_s;
  const bool has_ranks_beyond = static_cast<std::uint64_t>(ranks) > corners;
  return cube_s + (has_ranks_beyond ? 2 * (network.latency_s + bytes_s) : 0);
}

PlanStep plan_step(const PlanRequest& request, std::int64_t ranks, double batch) {
  const SumLayout sums{request.data.features};
  const double rate = request.read_bytes_per_second;
  const double row_s = row_bytes(request.data) / rate;
  PlanStep step{.ranks = ranks, .batch = batch};
  step.read_s = batch / static_cast<double>(ranks) * row_s;
  step.update_s = static_cast<double>(request.data.features + 1) * kUpdateBytes / rate;
  constexpr std::int64_t kNote = 1;  // whether a rank was interrupted
  step.communication_s =
      all_reduce_s(static_cast<std::int64_t>(sums.size()) + kNote, ranks, request.network);
  const double wanted_read_s = step.communication_s * (1 - kShare) / kShare - step.update_s;
  step.batch_for_a_tenth =
      std::max(1.0, std::ceil(wanted_read_s / row_s * static_cast<double>(ranks)));
  return step;
}

Plan make_plan(const PlanRequest& request) {
  const auto batch = static_cast<double>(request.batch);
  Plan plan{.request = request, .step = plan_step(request, request.ranks, batch), .table = {}};
  const double rows_a_rank = batch / static_cast<double>(request.ranks);
  for (const std::int64_t ranks : {1, 8, 64, 512, 4096}) {
    plan.table.push_back(plan_step(request, ranks, rows_a_rank * static_cast<double>(ranks)));
  }
  return plan;
}

PlanData read_plan_data(const Config& config) {
  const Dataset dataset = read_dataset(config.data, config.model.positive);
  ThreadPool pool(usable_cores());
  const PreparedData prepared = prepare(config, dataset, *make_single_communicator(), pool);
  PlanData data{.rows = prepared.train_rows,
                .features = static_cast<std::int64_t>(dataset.schema.feature_names.size()),
                .entries_a_row = std::nullopt};
  if (prepared.layout == Layout::kSparse) {
    data.entries_a_row =
        static_cast<double>(prepared.entries) / static_cast<double>(prepared.train_rows);
  }
  return data;
}

}  // namespace ossau
