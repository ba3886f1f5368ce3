#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "backend/backend_case.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "simt/runtime.hpp"

namespace ossau::test {

/// The CUDA backend, its kernels run on the CPU.
/// memory_bytes: that rows may take; little makes them stream from the host.
inline BackendCase simt_case(const std::string& name, std::optional<std::int64_t> memory_bytes,
                             std::uint64_t seed) {
  return {.name = name,
          .make =
              [memory_bytes, seed](BackendRows rows, const ModelSetup& setup) {
                simt::set_seed(seed);
                return cuda::make_cuda_backend({.device = 0, .memory_bytes = memory_bytes},
                                               std::move(rows), setup);
              },
          .why_not = {}};
}

}  // namespace ossau::test
