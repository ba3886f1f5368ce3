#include <optional>
#include <string>
#include <utility>

#include "backend/backend.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/cuda_module.hpp"
#include "backend/device_choice.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

std::unique_ptr<Backend> make_gpu_backend(const RunConfig& config, RankInfo rank, BackendRows rows,
                                          const ModelSetup& setup) {
  const std::string reason = why_no_gpu();
  if (!reason.empty()) {
    throw DeviceError("run.device: cuda: " + reason + " (set run.device: auto or cpu)");
  }
  std::string ignored;
  const GpuPlace place = *gpu_of_rank(config, rank);
  return cuda_module(&ignored)->make_backend({.device = place.device,
                                              .ranks_here = place.ranks_here,
                                              .memory_bytes = config.device_memory},
                                             std::move(rows), setup);
}

}  // namespace

// The explicit list: one line a backend.
std::unique_ptr<Backend> make_backend(const RunConfig& config, RankInfo rank, std::int64_t threads,
                                      BackendRows rows, ModelSetup setup) {
  if (config.device == Device::kCuda) {
    return make_gpu_backend(config, rank, std::move(rows), setup);
  }
  // Every rank of this process has as many threads.
  const CpuKernels kernels = choose_kernels(config.simd, setup.loss);
  return make_cpu_backend(kernels, threads, waiting_for(threads * rank.size), std::move(rows),
                          std::move(setup));
}

}  // namespace ossau
