#include "bare_pass.cuh"
#include "pass_launch.cuh"

namespace ossau::cuda {

using device::GradientStage;

void load_gradient_kernels() {
  load_passes<GradientStage>("gradient");
  device::load("gradient", device::sparse_gradient_kernel<GradientStage, false, true>);
  device::load("gradient", device::sparse_gradient_kernel<GradientStage, true, true>);
  device::load("bare read", device::bare_read_kernel);
  device::load("bare gather and scatter", device::bare_gather_scatter_kernel);
}

bool dense_rows_fit(std::int64_t features, const DeviceInfo& device) {
  if (features > 32 * kScoreChunk) return false;  // and no int below overflows
  const device::DenseShape shape = dense_shape(features, 1 << 20, kNarrowWarps, device);
  return shape.slots >= shape.groups + kSpareSlots &&
         shape.shared_bytes <= static_cast<int>(device.shared_bytes);
}

void dense_gradient(const DenseRows& rows, const GradientPass& pass, std::int64_t slices,
                    const DeviceInfo& device, StreamHandle stream) {
  dense_pass<GradientStage>("dense gradient", rows, pass, slices, device, stream);
}

std::int64_t wide_counters(std::int64_t slices) { return 2 * slices + 1; }

std::int64_t wide_floats(std::int64_t slices, std::int64_t features) {
  return slices * (wide_chunks(features) + kMostRuns) * kTileRows;
}

WideScratch wide_scratch(std::uint32_t* counters, float* floats, std::int64_t slices,
                         std::int64_t features) {
  return {.partial = floats,
          .residual = floats + slices * wide_chunks(features) * kTileRows,
          .arrived = counters,
          .ready = counters + slices,
          .ticket = counters + 2 * slices};
}

void wide_gradient(const DenseRows& rows, const GradientPass& pass, const WideScratch& scratch,
                   std::int64_t slices, const DeviceInfo& device, StreamHandle stream) {
  wide_pass<GradientStage>("wide gradient", rows, pass, scratch, slices, device, stream);
}

void sparse_gradient(const SparseRows& rows, const GradientPass& pass, const TouchedList& touched,
                     std::int64_t slices, const DeviceInfo& device, StreamHandle stream) {
  if (touched.features == nullptr) {
    return sparse_pass<GradientStage, false>("sparse gradient", rows, pass, touched, slices, device,
                                             stream);
  }
  fill_zero(touched.count, sizeof(std::uint32_t), stream);
  sparse_pass<GradientStage, true>("sparse gradient", rows, pass, touched, slices, device, stream);
}

namespace {

constexpr std::int64_t kBareBlocks = 8;

LaunchShape bare_shape(std::int64_t threads, const DeviceInfo& device) {
  const std::int64_t most = kBareBlocks * device.multiprocessors;
  const std::int64_t blocks =
      std::clamp<std::int64_t>(divide_up(threads, device::kBareThreads), 1, most);
  return {static_cast<unsigned>(blocks), static_cast<unsigned>(device::kBareThreads), 0};
}

}  // namespace

void bare_read(const float* values, std::int64_t count, float* sink, const DeviceInfo& device,
               StreamHandle stream) {
  device::launch("bare read", device::bare_read_kernel, bare_shape(count / 4, device), stream,
                 values, count, sink);
}

void bare_gather_scatter(const SparseRows& rows, std::int64_t tiles, const float* weights,
                         std::int64_t* sums, const DeviceInfo& device, StreamHandle stream) {
  device::launch("bare gather and scatter", device::bare_gather_scatter_kernel,
                 bare_shape(tiles * kWarpThreads, device), stream, rows, tiles, weights, sums);
}

}  // namespace ossau::cuda
