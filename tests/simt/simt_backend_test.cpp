#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend_contract.hpp"
#include "backend/cuda/cuda_backend.hpp"
#include "simt/interpreter.hpp"
#include "simt/runtime.hpp"

// The CUDA backend, its kernels run on the CPU: bit for bit what the reference says.

namespace ossau::test {
namespace {

// memory_bytes: that rows may take; little makes them stream from the host.
BackendCase simt_case(const std::string& name, std::optional<std::int64_t> memory_bytes,
                      std::uint64_t seed) {
  return {name, [memory_bytes, seed](BackendRows rows, ModelSetup setup) {
            simt::set_seed(seed);
            return cuda::make_cuda_backend({.device = 0, .memory_bytes = memory_bytes},
                                           std::move(rows), std::move(setup));
          }};
}

INSTANTIATE_TEST_SUITE_P(Simt, BackendContract,
                         ::testing::Values(simt_case("resident", std::nullopt, 1),
                                           simt_case("streamed", 100'000, 2)),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace ossau::test
