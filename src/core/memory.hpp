#pragma once

#include <cstddef>
#include <cstdint>

namespace ossau {

/// Memory that this machine has, bytes.
std::uint64_t physical_memory_bytes();

/// Bytes of a huge page, on the processors that we know.
inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Asks the system to back what lies from `memory` on, a multiple of kHugePage, with huge pages: an
/// access at random then seldom misses the processor's page table cache.  A wish, never an error.
void ask_for_huge_pages(void* memory, std::size_t bytes) noexcept;

}  // namespace ossau
