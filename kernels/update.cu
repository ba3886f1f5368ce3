#include <algorithm>

#include "launch.cuh"
#include "launchers.hpp"
#include "update.cuh"

namespace ossau::cuda {
namespace {

constexpr std::int64_t kBlocksOfMultiprocessor = 4;

// One thread a feature, up to what the device holds.
device::LaunchShape element_shape(std::int64_t elements, const DeviceInfo& device) {
  const std::int64_t blocks = (elements + device::kUpdateThreads - 1) / device::kUpdateThreads;
  const std::int64_t most = kBlocksOfMultiprocessor * device.multiprocessors;
  return {static_cast<unsigned>(std::clamp<std::int64_t>(blocks, 1, most)),
          static_cast<unsigned>(device::kUpdateThreads), 0};
}

template <class R>
void move(const OptimizerView& view, const UpdateStep& step, const TouchedList& touched,
          std::int64_t* sums, device::LaunchShape shape, StreamHandle stream) {
  if constexpr (R::kNeedsSlope) {
    device::LaunchShape with_tree = shape;
    with_tree.shared_bytes = static_cast<std::size_t>(kFeatureChunk) * sizeof(double);
    device::launch("update: proposals", device::propose_kernel<R>, with_tree, stream, view, step,
                   sums);
    device::launch("update: acceptance", device::accept_kernel<R>, shape, stream, view);
  } else {
    device::launch("update", device::move_kernel<R>, shape, stream, view, step, touched, sums);
  }
}

template <class R>
void load_rule() {
  if constexpr (R::kNeedsSlope) {
    device::load("update: proposals", device::propose_kernel<R>);
    device::load("update: acceptance", device::accept_kernel<R>);
  } else {
    device::load("update", device::move_kernel<R>);
  }
}

}  // namespace

void load_update_kernels() {
  each_rule([](auto kind) { load_rule<typename decltype(kind)::Rule>(); });
  device::load("scoring weights", device::refresh_kernel);
  device::load("largest gradient", device::gradient_max_kernel);
  device::load("end of steps", device::advance_kernel);
}

void update(const OptimizerView& view, const UpdateStep& step, const TouchedList& touched,
            std::int64_t* sums, const DeviceInfo& device, StreamHandle stream) {
  const device::LaunchShape shape = element_shape(view.model.features + 1, device);
  with_rule(view.rule, [&](auto kind) {
    move<typename decltype(kind)::Rule>(view, step, touched, sums, shape, stream);
  });
}

void refresh_scoring(const OptimizerView& view, const double* from, const DeviceInfo& device,
                     StreamHandle stream) {
  device::launch("scoring weights", device::refresh_kernel,
                 element_shape(view.model.features + 1, device), stream, view, from);
}

void gradient_max(const OptimizerView& view, const std::int64_t* sums, const double* point,
                  double scale, double factor, double rate, unsigned long long* largest,
                  const DeviceInfo& device, StreamHandle stream) {
  device::launch("largest gradient", device::gradient_max_kernel,
                 element_shape(view.model.features + 1, device), stream, view, sums, point, scale,
                 factor, rate, largest);
}

std::uint32_t touched_capacity(std::int64_t features) { return device::list_capacity(features); }

void advance(RunState* run, std::int64_t steps, StreamHandle stream) {
  device::launch("end of steps", device::advance_kernel, {1, 1, 0}, stream, run, steps);
}

}  // namespace ossau::cuda
