#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "backend/cuda/runtime.hpp"
#include "simt/interpreter.hpp"

namespace simt {

/// What the interpreter shows as its device.
struct Limits {
  int devices = 1;  // all alike, and of one memory
  int multiprocessors = 4;
  std::size_t shared_bytes = std::size_t{227} << 10;  // that a block may have at most
  std::size_t memory_bytes = std::size_t{4} << 30;
};
void set_limits(const Limits& limits);
Limits limits();

/// Runs a kernel, or records it while the stream is captured.  Throws ossau::DeviceError for a
/// shape that no device takes.
void queue_kernel(ossau::cuda::StreamHandle stream, const std::string& name, Shape shape,
                  std::function<void()> body);

}  // namespace simt
