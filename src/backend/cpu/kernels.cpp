#include "backend/cpu/kernels.hpp"

#include <fmt/format.h>

#include <string>

#include "backend/cpu/scalar_kernels.hpp"
#include "backend/cpu/simd_kernels.hpp"
#include "ossau/error.hpp"

namespace ossau {

std::vector<CpuKernels> available_kernels(LossKind loss) {
  std::vector<CpuKernels> kernels = simd_kernels(loss);
  kernels.push_back(scalar_kernels(loss));
  return kernels;
}

CpuKernels choose_kernels(Simd simd, LossKind loss) {
  const std::vector<CpuKernels> kernels = available_kernels(loss);
  if (simd == Simd::kAuto) return kernels.front();
  std::string names;
  for (const CpuKernels& candidate : kernels) {
    if (candidate.simd == simd) return candidate;
    names += fmt::format(", {}", candidate.name);
  }
  throw DeviceError(fmt::format(
      "run.simd: this processor lacks the instructions asked for (it has: auto{})", names));
}

}  // namespace ossau
