#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "core/device.hpp"

namespace ossau::cuda {

/// 2,500,000,000 bytes: "2.5 GB".
inline std::string gigabytes(std::size_t bytes) {
  return fmt::format("{:.3g} GB", static_cast<double>(bytes) * 1e-9);
}

/// What was asked for, what there is, and what can be done about it.
inline std::string device_is_full(const DeviceInfo& device, const std::string& what,
                                  std::size_t bytes) {
  return fmt::format(
      "cuda: device {} ({}): {}: {} of GPU memory are needed, {} are free (give run.device_memory "
      "a limit so that rows stream from the host, use more GPUs with run.ranks: all, or "
      "run.device: cpu)",
      device.ordinal, device.name, what, gigabytes(bytes), gigabytes(device.free_bytes));
}

}  // namespace ossau::cuda
