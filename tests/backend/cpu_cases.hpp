#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "backend/backend_case.hpp"
#include "backend/cpu/cpu_backend.hpp"

namespace ossau::test {

inline BackendCase cpu_case(const CpuKernels& kernels, std::int64_t threads) {
  return {std::string(kernels.name) + "_" + std::to_string(threads),
          [kernels, threads](BackendRows rows, ModelSetup setup) {
            return make_cpu_backend(kernels, threads, Waiting::kSpin, std::move(rows),
                                    std::move(setup), ThreadPool::kAwakeSeconds);
          }};
}

/// Every instruction set that is here, alone and with three threads.
inline std::vector<BackendCase> cpu_cases() {
  std::vector<BackendCase> cases;
  for (const CpuKernels& kernels : available_kernels()) {
    for (const std::int64_t threads : {1, 3}) cases.push_back(cpu_case(kernels, threads));
  }
  return cases;
}

}  // namespace ossau::test
