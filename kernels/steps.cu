#include <algorithm>
#include <optional>

#include "arith/bits.hpp"
#include "dense_steps.cuh"
#include "launch.cuh"
#include "launchers.hpp"

namespace ossau::cuda {
namespace {

constexpr int kWarpThreads = static_cast<int>(device::kWarp);
constexpr int kNarrowColumns = device::kGroupColumns;
constexpr int kNarrowWarps = 12;  // of a block, with at most 32 columns: more would lack registers
constexpr int kWarps = 8;
constexpr int kMostGroups = static_cast<int>(kScoreChunk) / device::kGroupColumns;

// What chooses between one block and many: rates of an H100, predicted (benchmarks/README.md).
constexpr double kBlockBytesPerNs = 110;   // that one multiprocessor reads from the second cache
constexpr double kBlockIssuesPerNs = 6.8;  // instructions of warps that it starts
constexpr double kIssuesPerColumn = 12.7;  // of a tile
constexpr double kIssuesPerTile = 240;
constexpr double kMeetingNs = 2000;         // of all blocks, once a step
constexpr std::int64_t kSlicesOfBlock = 4;  // where blocks share a batch
// Beyond so many slices for each multiprocessor a step's work hides what starting kernels costs.
constexpr std::int64_t kMostSlices = 8;

int divide_up(std::int64_t a, std::int64_t b) { return static_cast<int>((a + b - 1) / b); }

struct StepsPlan {
  device::StepsShape shape;
  int blocks = 1;
};

double slice_ns(std::int64_t features) {
  const auto d = static_cast<double>(features);
  return std::max(d * kTileRows * sizeof(float) / kBlockBytesPerNs,
                  (kIssuesPerColumn * d + kIssuesPerTile) / kBlockIssuesPerNs);
}

int choose_blocks(std::int64_t features, std::int64_t slices, const DeviceInfo& device) {
  const std::int64_t many =
      std::min<std::int64_t>(device.multiprocessors, divide_up(slices, kSlicesOfBlock));
  const double alone_ns = static_cast<double>(slices) * slice_ns(features);
  const double shared_ns = alone_ns / static_cast<double>(many) + kMeetingNs;
  return alone_ns <= shared_ns ? 1 : static_cast<int>(many);
}

// As many warps as their rings fit, each for a tile at least; then longer rings.
std::optional<StepsPlan> plan_steps(const OptimizerView& view, std::int64_t slices,
                                    const DeviceInfo& device) {
  const std::int64_t features = view.model.features;
  if (features < 1 || features > kScoreChunk) return std::nullopt;
  if (slices > kMostSlices * device.multiprocessors) return std::nullopt;
  StepsPlan plan;
  plan.blocks = choose_blocks(features, slices, device);
  device::StepsShape& shape = plan.shape;
  shape.features = static_cast<int>(features);
  shape.states = traits_of(view.rule).states;
  shape.groups = divide_up(features, device::kGroupColumns);
  shape.slot_bytes = static_cast<int>(std::min<std::int64_t>(features, device::kGroupColumns) *
                                      kTileRows * sizeof(float));
  shape.slots = shape.groups;
  const int most = shape.groups == 1 ? kNarrowWarps : kWarps;
  shape.warps = std::min(most, divide_up(slices, plan.blocks));
  const auto room = static_cast<int>(device.shared_bytes);
  while (shape.warps > 1 && device::StepsShared::bytes(shape) > room) --shape.warps;
  if (device::StepsShared::bytes(shape) > room) return std::nullopt;
  for (device::StepsShape longer = shape; longer.slots < 3 * shape.groups; shape = longer) {
    ++longer.slots;
    if (device::StepsShared::bytes(longer) > room) break;
  }
  return plan;
}

}  // namespace

void load_step_kernels() {
  device::load("dense steps", device::dense_steps_kernel<kNarrowWarps * kWarpThreads, 1>);
  device::load("dense steps", device::dense_steps_kernel<kWarps * kWarpThreads, kMostGroups>);
}

bool dense_steps_pay(const OptimizerView& view, std::int64_t slices, const DeviceInfo& device) {
  const RuleTraits traits = traits_of(view.rule);
  // A slope needs all blocks twice a step; dense rows have no scale.
  if (traits.needs_slope || traits.scales_weights) return false;
  return plan_steps(view, slices, device).has_value();
}

std::size_t dense_steps_words(std::int64_t features) {
  return static_cast<std::size_t>(3 * (features + device::kTotalsOfWarp) + 1);
}

void dense_steps(const DenseRows& rows, const OptimizerView& view, const RunOfSteps& run,
                 std::int64_t* exchange, const DeviceInfo& device, StreamHandle stream) {
  const std::size_t words = dense_steps_words(rows.features);
  fill_zero(exchange, words * sizeof(std::int64_t), stream);
  const device::DenseSteps steps = {.run = run,
                                    .fixed_scale = power_of_two(run.fixed_bits),
                                    .exchange = exchange,
                                    .met = reinterpret_cast<std::uint32_t*>(exchange + words - 1)};
  const StepsPlan plan = *plan_steps(view, run.stride, device);
  const device::LaunchShape shape = {
      static_cast<unsigned>(plan.blocks), static_cast<unsigned>(plan.shape.warps * kWarpThreads),
      static_cast<std::size_t>(device::StepsShared::bytes(plan.shape)), plan.blocks > 1};
  if (rows.features <= kNarrowColumns) {
    device::launch("dense steps", device::dense_steps_kernel<kNarrowWarps * kWarpThreads, 1>, shape,
                   stream, rows, steps, view, plan.shape);
  } else {
    device::launch("dense steps", device::dense_steps_kernel<kWarps * kWarpThreads, kMostGroups>,
                   shape, stream, rows, steps, view, plan.shape);
  }
}

}  // namespace ossau::cuda
