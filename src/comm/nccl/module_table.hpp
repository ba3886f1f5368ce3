#pragma once

#include <memory>
#include <string>

#include "comm/communicator.hpp"

namespace ossau::nccl {

/// A rank's part of a group of GPUs: which device is its own.
struct DeviceRank {
  int device = 0;
  double timeout_s = 0;  // of every wait
};

/// What the CUDA module offers for adding up between GPUs; see backend/cuda/module_table.hpp.
struct ModuleTable {
  /// Why there is no NCCL; empty where there is.
  std::string (*why_none)() = nullptr;
  /// For example "2.28.9"; only where there is one.
  std::string (*nccl_version)() = nullptr;
  /// See pair_with_devices() in comm/launch.hpp.
  std::unique_ptr<Communicator> (*pair)(Communicator& host, DeviceRank mine) = nullptr;
};

inline constexpr const char* kModuleName = "ossau_cuda";
inline constexpr const char* kEntry = "ossau_cuda_communicator";

}  // namespace ossau::nccl
