#pragma once

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "core/memory.hpp"

namespace ossau {

/// Cache line and widest SIMD register, bytes.
inline constexpr std::size_t kAlignment = 64;

template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
    const std::size_t bytes = count * sizeof(T);
    void* memory = ::operator new(bytes, alignment(bytes));
    if (bytes >= kHugePage) ask_for_huge_pages(memory, bytes);
    return static_cast<T*>(memory);
  }
  void deallocate(T* pointer, std::size_t count) noexcept {
    ::operator delete(pointer, alignment(count * sizeof(T)));
  }
  bool operator==(const AlignedAllocator&) const = default;

 private:
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t(bytes >= kHugePage ? kHugePage : kAlignment);
  }
};

/// Leaves new elements as they are: whoever writes them first decides which processor's memory they
/// get.
template <class T>
struct UntouchedAllocator : AlignedAllocator<T> {
  UntouchedAllocator() = default;
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor)
  UntouchedAllocator(const UntouchedAllocator<U>&) noexcept {}

  template <class U>
  void construct(U* at) {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Arguments>
  void construct(U* at, Arguments&&... arguments) {
    ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
  }
};

/// A vector that starts on a cache line; a large one on a huge page, where the system has them.
template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

/// The same, but elements that are only counted, not given, are not initialised.
template <class T>
using UntouchedVector = std::vector<T, UntouchedAllocator<T>>;

}  // namespace ossau
