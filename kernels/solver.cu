#include <algorithm>
#include <stdexcept>

#include "pass_launch.cuh"
#include "scores.cuh"

// What solvers ask of the rows: further stages of the passes over rows, and kept scores.

namespace ossau::cuda {
namespace {

template <int kRuns>
using FusedStage = device::FusedStage<kRuns>;
using device::HessianStage;

constexpr std::int64_t kBlocksOfMultiprocessor = 8;

LaunchShape score_shape(std::int64_t elements, const DeviceInfo& device) {
  const std::int64_t most = kBlocksOfMultiprocessor * device.multiprocessors;
  return {static_cast<unsigned>(
              std::clamp<std::int64_t>(divide_up(elements, device::kScoreThreads), 1, most)),
          static_cast<unsigned>(device::kScoreThreads), 0};
}

// Calls pass(stage, name) with the stage that `stage` names.
template <class Pass>
void with_stage(RowStage stage, const Pass& pass) {
  switch (stage) {
    case RowStage::kGradient:
      break;
    case RowStage::kFusedTwo:
      return pass(FusedStage<2>(), "two sums of one pass");
    case RowStage::kFusedThree:
      return pass(FusedStage<3>(), "three sums of one pass");
    case RowStage::kHessian:
      return pass(HessianStage(), "Hessian times a direction");
  }
  throw std::logic_error("a gradient alone is gradient.cu's");
}

}  // namespace

void load_solver_kernels() {
  load_passes<FusedStage<2>>("two sums of one pass");
  load_passes<FusedStage<3>>("three sums of one pass");
  load_passes<HessianStage>("Hessian times a direction");
  device::load("losses along a line", device::line_kernel);
  device::load("sum of scores", device::add_scaled_kernel);
  device::load("difference of scores", device::subtract_kernel);
  device::load("largest score", device::largest_kernel);
}

void dense_solver_pass(const DenseRows& rows, const GradientPass& pass, std::int64_t slices,
                       const DeviceInfo& device, StreamHandle stream) {
  with_stage(pass.solver.stage, [&](auto stage, const char* name) {
    dense_pass<decltype(stage)>(name, rows, pass, slices, device, stream);
  });
}

void wide_solver_pass(const DenseRows& rows, const GradientPass& pass, const WideScratch& scratch,
                      std::int64_t slices, const DeviceInfo& device, StreamHandle stream) {
  with_stage(pass.solver.stage, [&](auto stage, const char* name) {
    wide_pass<decltype(stage)>(name, rows, pass, scratch, slices, device, stream);
  });
}

void sparse_solver_pass(const SparseRows& rows, const GradientPass& pass, std::int64_t slices,
                        const DeviceInfo& device, StreamHandle stream) {
  with_stage(pass.solver.stage, [&](auto stage, const char* name) {
    sparse_pass<decltype(stage), false>(name, rows, pass, {}, slices, device, stream);
  });
}

void line_sums(const LineTerms& line, std::int64_t* sums, const DeviceInfo& device,
               StreamHandle stream) {
  LaunchShape shape = score_shape(line.tiles * kWarpThreads, device);
  shape.blocks *= static_cast<unsigned>(line.steps);
  device::launch("losses along a line", device::line_kernel, shape, stream, line, sums);
}

void add_scaled(float a, const float* x, float* y, std::int64_t count, const DeviceInfo& device,
                StreamHandle stream) {
  device::launch("sum of scores", device::add_scaled_kernel, score_shape(count, device), stream, a,
                 x, y, count);
}

void subtract(const float* x, const float* y, float* to, std::int64_t count,
              const DeviceInfo& device, StreamHandle stream) {
  device::launch("difference of scores", device::subtract_kernel, score_shape(count, device),
                 stream, x, y, to, count);
}

void largest_score(const float* x, std::int64_t count, unsigned* largest, const DeviceInfo& device,
                   StreamHandle stream) {
  device::launch("largest score", device::largest_kernel, score_shape(count, device), stream, x,
                 count, largest);
}

}  // namespace ossau::cuda
