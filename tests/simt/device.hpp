#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "simt/interpreter.hpp"
#include "simt/runtime.hpp"

/// For kernels/device.cuh, which this stands in for.
#define OSSAU_SIMT_DEVICE

// What kernels/device.cuh and kernels/launch.cuh give under nvcc, and those of CUDA's builtins that
// kernels use, upon the interpreter.  There is no __shared__: kernels take shared_memory().

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): CUDA's own names.

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

#define threadIdx (::simt::here->thread)
#define blockIdx (::simt::here->block)
#define blockDim (::simt::here->threads)
#define gridDim (::simt::here->blocks)

inline constexpr int warpSize = 32;

inline void __syncthreads() { simt::sync_block(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { simt::sync_warp(mask); }
inline void __threadfence() { simt::maybe_yield(); }
inline void __threadfence_block() { simt::maybe_yield(); }
inline void __nanosleep(unsigned) { simt::pause(); }
[[noreturn]] inline void __trap() { simt::trap(); }

namespace simt {

template <class T>
T shuffle(unsigned mask, T value, unsigned source) {
  static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = warp_operation(Operation::kShuffle, mask, bits, source);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

inline unsigned lane() { return here->thread.x & 31u; }
/// First lane of the group of `width` lanes that this lane belongs to.
inline unsigned group(int width) { return lane() & ~(static_cast<unsigned>(width) - 1u); }

template <class T>
concept AtomicType =
    std::same_as<T, int> || std::same_as<T, unsigned> || std::same_as<T, unsigned long long>;

template <AtomicType T, class Change>
T atomic(T* address, Change change, bool addition = false) {
  before_atomic();
  const T old = *address;
  if (addition) inside_addition();
  const T changed = change(old);
  *address = changed;
  after_atomic(changed != old);
  return old;
}

}  // namespace simt

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const unsigned inside = static_cast<unsigned>(source) & (static_cast<unsigned>(width) - 1u);
  return simt::shuffle(mask, value, simt::group(width) + inside);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  const unsigned source = simt::lane() ^ static_cast<unsigned>(bits);
  const unsigned end = simt::group(width) + static_cast<unsigned>(width);
  return simt::shuffle(mask, value, source < end ? source : simt::lane());
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned left = simt::group(width) + static_cast<unsigned>(width) - simt::lane();
  return simt::shuffle(mask, value, simt::lane() + (delta < left ? delta : 0u));
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned before = simt::lane() - simt::group(width);
  return simt::shuffle(mask, value, simt::lane() - (delta <= before ? delta : 0u));
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
  return static_cast<unsigned>(
      simt::warp_operation(simt::Operation::kBallot, mask, predicate != 0 ? 1 : 0, 0));
}
inline int __any_sync(unsigned mask, int predicate) {
  return static_cast<int>(
      simt::warp_operation(simt::Operation::kAny, mask, predicate != 0 ? 1 : 0, 0));
}
inline int __all_sync(unsigned mask, int predicate) {
  return static_cast<int>(
      simt::warp_operation(simt::Operation::kAll, mask, predicate != 0 ? 1 : 0, 0));
}

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return std::countl_zero(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline int __ffsll(long long x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(x)) + 1;
}
inline unsigned long long __brevll(unsigned long long x) {
  unsigned long long reversed = 0;
  for (int i = 0; i < 64; ++i) reversed |= (x >> i & 1u) << (63 - i);
  return reversed;
}
inline unsigned __brev(unsigned x) { return static_cast<unsigned>(__brevll(x) >> 32); }

template <class T>
T __ldg(const T* address) {
  return *address;
}

template <simt::AtomicType T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  // As the device does it: overflow wraps, of signed integers too.
  using Wide = std::make_unsigned_t<T>;
  return simt::atomic(
      address,
      [value](T old) { return static_cast<T>(static_cast<Wide>(old) + static_cast<Wide>(value)); },
      true);
}
template <simt::AtomicType T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return simt::atomic(address, [value](T) { return value; });
}
template <simt::AtomicType T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return simt::atomic(address, [value](T old) { return old < value ? value : old; });
}
template <simt::AtomicType T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return simt::atomic(address, [value](T old) { return value < old ? value : old; });
}
template <simt::AtomicType T>
T atomicOr(T* address, std::type_identity_t<T> value) {
  return simt::atomic(address, [value](T old) { return static_cast<T>(old | value); });
}
template <simt::AtomicType T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
  return simt::atomic(address, [value](T old) { return static_cast<T>(old & value); });
}
template <simt::AtomicType T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return simt::atomic(address, [=](T old) { return old == expected ? value : old; });
}

// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

namespace ossau::device {

/// Counts the bytes of asynchronous copies into shared memory; each use is one phase.
struct CopyBarrier {
  std::uint64_t state;
};

inline unsigned char* shared_memory() { return simt::here->shared; }

using simt::await_copy;
using simt::begin_copy;
using simt::fence_proxy_async;
using simt::start;
using simt::team_barrier;

template <class T>
T load_fresh(const T* address) {
  simt::before_load(address);
  return *static_cast<const volatile T*>(address);
}

inline void wait_a_little() { simt::pause(); }

using LaunchShape = simt::Shape;

/// Queues a kernel.  Throws DeviceError where CUDA would refuse it, simt::Fault where it is wrong.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), LaunchShape shape,
            cuda::StreamHandle stream, Arguments... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...));
  static_assert(sizeof...(Parameters) == sizeof...(Arguments));
  // Converted and copied here, as by CUDA: what a graph replays are today's values.
  simt::queue_kernel(
      stream, name, shape,
      [kernel, values = std::tuple<Parameters...>(arguments...)] { std::apply(kernel, values); });
}

}  // namespace ossau::device
