#pragma once

// What the kernels use of a device beyond plain C++: CUDA's intrinsics and a few lines of PTX.
// Where another compiler than nvcc reads the kernels, to run them on the CPU, tests/simt/ puts its
// own in front of every source.

#if defined(__CUDACC__)

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace ossau::device {

/// The dynamic shared memory of a block.
__device__ __forceinline__ unsigned char* shared_memory() {
  extern __shared__ __align__(128) unsigned char memory[];
  return memory;
}

/// A generic address of shared memory as PTX's shared state space counts it.
__device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

/// Counts the bytes of asynchronous copies into shared memory; each use is one phase.
struct CopyBarrier {
  std::uint64_t state;
};

// The bulk copy engine of compute capability 9.0 takes whole pieces and is asked by one lane; older
// devices copy 16 bytes a lane.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
inline constexpr unsigned kCopyArrivals = 32;
#else
inline constexpr unsigned kCopyArrivals = 1;
#endif

/// By one thread, before any other uses it; then a barrier of the block.
__device__ __forceinline__ void start(CopyBarrier* barrier) {
  asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(kCopyArrivals)
               : "memory");
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

/// By each lane that has read what was copied, before the __syncwarp after which the next copy
/// overwrites it: the copy engine orders its writes with a thread's reads only across this.
__device__ __forceinline__ void fence_proxy_async() {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

/// By a whole warp, for whose earlier reads of `shared`, each lane's fenced by fence_proxy_async(),
/// a __syncwarp has waited: begins a copy of `bytes`, a multiple of 16, between addresses that are
/// multiples of 16, and this phase of the barrier.
__device__ __forceinline__ void begin_copy(void* shared, const void* global, std::uint32_t bytes,
                                           CopyBarrier* barrier) {
  const std::uint32_t at = shared_address(barrier);
  const std::uint32_t to = shared_address(shared);
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  const auto* from = static_cast<const unsigned char*>(global);
  for (std::uint32_t i = (threadIdx.x & 31u) * 16u; i < bytes; i += 32u * 16u) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to + i), "l"(from + i)
                 : "memory");
  }
  asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(at) : "memory");
#else
  if ((threadIdx.x & 31u) == 0) {
    asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(at), "r"(bytes)
                 : "memory");
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, "
        "[%3];" ::"r"(to),
        "l"(global), "r"(bytes), "r"(at)
        : "memory");
  }
#endif
}

/// By every thread that reads what was copied: waits for the phase of this parity (0, 1, 0, ...).
__device__ __forceinline__ void await_copy(CopyBarrier* barrier, std::uint32_t parity) {
  const std::uint32_t at = shared_address(barrier);
  std::uint32_t done = 0;
  do {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
    asm volatile(
        "{\n .reg .pred p;\n mbarrier.test_wait.parity.shared.b64 p, [%1], %2;\n selp.u32 %0, 1, "
        "0, p;\n}"
        : "=r"(done)
        : "r"(at), "r"(parity)
        : "memory");
#else
    asm volatile(
        "{\n .reg .pred p;\n mbarrier.try_wait.parity.shared.b64 p, [%1], %2;\n selp.u32 %0, 1, 0, "
        "p;\n}"
        : "=r"(done)
        : "r"(at), "r"(parity)
        : "memory");
#endif
  } while (done == 0);
}

/// Reads what others write meanwhile, in shared memory or in global.
template <class T>
__device__ __forceinline__ T load_fresh(const T* address) {
  return *static_cast<const volatile T*>(address);
}

/// For a loop that waits for other blocks.
__device__ __forceinline__ void wait_a_little() { __nanosleep(32); }

/// A barrier of some warps of a block: threads, a multiple of 32, that name the same id in [1, 15].
__device__ __forceinline__ void team_barrier(unsigned id, unsigned threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

}  // namespace ossau::device

#elif !defined(OSSAU_SIMT_DEVICE)
#error "kernels are compiled by nvcc, or behind tests/simt/device.hpp"
#endif
