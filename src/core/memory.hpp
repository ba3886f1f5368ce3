#pragma once

#include <cstdint>

namespace ossau {

/// Memory that this machine has, bytes.
std::uint64_t physical_memory_bytes();

}  // namespace ossau
