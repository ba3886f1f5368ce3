#include "report/gpu_diagnosis.hpp"

#include <fmt/format.h>

#include "backend/cuda_module.hpp"
#include "comm/nccl_module.hpp"
#include "ossau/error.hpp"

namespace ossau {
namespace {

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

GpuState look_at(const cuda::ModuleTable& module, int ordinal) {
  GpuState state;
  state.info.ordinal = ordinal;
  try {
    state.info = module.describe(ordinal);
  } catch (const DeviceError& error) {
    state.trouble = error.what();
  }
  return state;
}

}  // namespace

GpuDiagnosis diagnose_gpus() {
  GpuDiagnosis diagnosis;
  const cuda::ModuleTable* module = cuda_module(&diagnosis.cuda);
  if (module == nullptr) return diagnosis;
  std::string nccl_trouble;
  const nccl::ModuleTable* nccl = nccl_module(&nccl_trouble);
  diagnosis.nccl = nccl == nullptr ? nccl_trouble : nccl->nccl_version();
  diagnosis.cuda = module->why_no_device();
  if (!diagnosis.cuda.empty()) return diagnosis;
  for (int ordinal = 0; ordinal < module->device_count(); ++ordinal) {
    diagnosis.gpus.push_back(look_at(*module, ordinal));
  }
  diagnosis.cuda = fmt::format("CUDA {}, driver for CUDA {}", version_text(module->runtime_version),
                               version_text(module->driver_version()));
  return diagnosis;
}

}  // namespace ossau
