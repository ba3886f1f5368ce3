#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device.hpp"

// What launchers queue besides kernels; whoever runs the kernels gives it (runtime.cpp upon CUDA,
// tests/simt/ upon the interpreter).

namespace ossau::cuda {

void fill_zero(void* memory, std::size_t bytes, StreamHandle stream);
/// Sorts keys on the device, ascending.  Takes memory of its own while it runs.
void sort_keys(std::uint64_t* keys, std::size_t count, StreamHandle stream);

}  // namespace ossau::cuda
