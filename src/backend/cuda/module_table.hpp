#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/backend.hpp"
#include "core/device.hpp"

namespace ossau {

/// Which device a backend takes, and how much of it.
struct CudaBackendOptions {
  int device = 0;
  std::int64_t ranks_here = 1;               // that share the device
  std::optional<std::int64_t> memory_bytes;  // that rows may take; absent: what is free
};

namespace cuda {

/// What the CUDA module offers to the program.  Both are made by the same compiler from the same
/// sources, which load_module() has made sure of.
struct ModuleTable {
  std::string (*why_no_device)() = nullptr;
  int (*device_count)() = nullptr;
  std::vector<int> (*usable_devices)() = nullptr;
  DeviceInfo (*describe)(int ordinal) = nullptr;
  int runtime_version = 0;            // 13000: 13.0
  int (*driver_version)() = nullptr;  // the newest that the driver knows; 0: no driver
  std::unique_ptr<Backend> (*make_backend)(const CudaBackendOptions& options, BackendRows rows,
                                           const ModelSetup& setup) = nullptr;
};

inline constexpr const char* kModuleName = "ossau_cuda";
inline constexpr const char* kBackendEntry = "ossau_cuda_backend";

}  // namespace cuda
}  // namespace ossau
