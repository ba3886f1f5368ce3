#pragma once

#include <string>
#include <vector>

#include "core/device.hpp"

namespace ossau {

/// One GPU, or why it cannot be used.
struct GpuState {
  cuda::DeviceInfo info;
  std::string trouble;  // empty: none
};

/// What this machine offers beside its processors.
struct GpuDiagnosis {
  std::string cuda;  // "CUDA 13.0, driver for CUDA 13.1"; without a GPU the reason
  std::vector<GpuState> gpus;
  std::string nccl;  // its version or why there is none; empty where it was not looked for
};

/// Looks for GPUs, if the CUDA module is there.
GpuDiagnosis diagnose_gpus();

}  // namespace ossau
