#include <utility>

#include "backend/backend.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "ossau/error.hpp"

namespace ossau {

// The explicit list: one line a backend.
std::unique_ptr<Backend> make_backend(const RunConfig& config, std::int64_t threads,
                                      BackendRows rows, ModelSetup setup) {
  if (config.device == Device::kCuda) {
    throw DeviceError(
        "run.device: cuda: this build has no CUDA backend (set run.device: auto or cpu)");
  }
  // Every rank of this process has as many threads.
  return make_cpu_backend(choose_kernels(config.simd), threads, waiting_for(threads * config.ranks),
                          std::move(rows), std::move(setup));
}

}  // namespace ossau
