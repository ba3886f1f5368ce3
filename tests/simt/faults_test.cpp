#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "simt/test_kernels.hpp"

namespace simt::test {
namespace {

using ossau::device::CopyBarrier;
using ossau::device::shared_memory;
using testing::AllOf;
using testing::HasSubstr;

/// What is said of a kernel without arguments, with any of some seeds.
std::string fault_of(void (*kernel)(), Shape shape) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    try {
      ossau::device::launch("kernel", kernel, shape, nullptr);
    } catch (const Fault& fault) {
      return fault.what();
    }
  }
  return "";
}

__global__ void divergent_barrier_kernel() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncwarp();
    ossau::device::team_barrier(1, 64);
  }
}

TEST(Faults, ADeadlockSaysWhatEachKindOfThreadWaitsFor) {
  EXPECT_THAT(fault_of(divergent_barrier_kernel, {1, 64, 0}),
              AllOf(HasSubstr("simt: kernel: nothing can run: "),
                    HasSubstr("32 wait for __syncthreads (32 of 64 are there), first block 0 "
                              "thread 0"),
                    HasSubstr("32 wait for team_barrier 1 (32 of 64 are there), first block 0 "
                              "thread 32"),
                    HasSubstr("(seed 1, launch 1)")));
}

__global__ void hopeless_kernel() {
  auto* flag = reinterpret_cast<unsigned*>(shared_memory());
  if (threadIdx.x == 0) *flag = 0;
  __syncthreads();
  while (ossau::device::load_fresh(flag) == 0) ossau::device::wait_a_little();
}

__global__ void polling_kernel() {
  auto* flag = reinterpret_cast<unsigned*>(shared_memory());
  if (threadIdx.x == 0) *flag = 0;
  __syncthreads();
  while (atomicCAS(flag, 1u, 2u) == 0) {
  }
}

__global__ void polling_together_kernel() {
  auto* flag = reinterpret_cast<unsigned*>(shared_memory());
  if (threadIdx.x == 0) *flag = 0;
  for (unsigned seen = 0; seen == 0;) {
    if (threadIdx.x == 0) ossau::device::wait_a_little();
    __syncthreads();
    seen = ossau::device::load_fresh(flag);
  }
}

TEST(Faults, ALoopThatWaitsInVainEnds) {
  EXPECT_THAT(fault_of(hopeless_kernel, {2, 64, 4}),
              HasSubstr("threads wait in vain: 128 wait for what no other thread writes"));
  EXPECT_THAT(fault_of(polling_kernel, {1, 1, 4}), HasSubstr("threads wait in vain"));
  EXPECT_THAT(fault_of(polling_together_kernel, {1, 64, 4}), HasSubstr("threads wait in vain"));
}

__global__ void exited_lane_kernel() {
  if (threadIdx.x == 9) return;
  __syncwarp();
}

__global__ void outside_lane_kernel() { __shfl_xor_sync(kWholeWarp, 1, 1); }

__global__ void other_masks_kernel() { __syncwarp(threadIdx.x < 8 ? 0xffu : kWholeWarp); }

__global__ void not_itself_kernel() { __syncwarp(~(1u << threadIdx.x)); }

__global__ void other_operation_kernel() {
  if (threadIdx.x == 3) {
    __syncwarp();
  } else {
    __ballot_sync(kWholeWarp, 1);
  }
}

__global__ void unnamed_source_kernel() {
  if (threadIdx.x < 16) __shfl_xor_sync(0xffffu, 1, 16);
}

TEST(Faults, MasksHaveToNameExactlyThoseWhoCome) {
  EXPECT_THAT(fault_of(exited_lane_kernel, {1, 32, 0}), HasSubstr("names a lane that has exited"));
  EXPECT_THAT(fault_of(outside_lane_kernel, {1, 48, 0}),
              HasSubstr("mask 0xffffffff names a lane outside the block"));
  EXPECT_THAT(fault_of(other_masks_kernel, {1, 32, 0}), HasSubstr("lanes disagree on the mask"));
  EXPECT_THAT(fault_of(not_itself_kernel, {1, 32, 0}), HasSubstr("does not name its own lane"));
  EXPECT_THAT(fault_of(other_operation_kernel, {1, 32, 0}), HasSubstr("is at another operation"));
  EXPECT_THAT(fault_of(unnamed_source_kernel, {1, 32, 0}),
              HasSubstr("which mask 0x0000ffff does not name"));
}

__global__ void early_exit_kernel() {
  if (threadIdx.x == 40) return;
  __syncthreads();
}

__global__ void other_counts_kernel() {
  ossau::device::team_barrier(2, threadIdx.x < 32 ? 64u : 96u);
}

__global__ void half_a_warp_kernel() {
  if (threadIdx.x % 32 < 16) ossau::device::team_barrier(2, 32);
}

__global__ void barrier_zero_kernel() { ossau::device::team_barrier(0, 32); }

TEST(Faults, BarriersHaveToBeReachedByAll) {
  EXPECT_THAT(fault_of(early_exit_kernel, {1, 64, 0}),
              testing::AnyOf(HasSubstr("__syncthreads after 1 threads of the block exited"),
                             HasSubstr("threads of the block wait in __syncthreads")));
  EXPECT_THAT(fault_of(other_counts_kernel, {1, 96, 0}), HasSubstr("others wait there for"));
  EXPECT_THAT(fault_of(half_a_warp_kernel, {1, 64, 0}), HasSubstr("of a warp came, not all"));
  EXPECT_THAT(fault_of(barrier_zero_kernel, {1, 32, 0}), HasSubstr("no such barrier"));
}

__global__ void throwing_kernel() {
  if (blockIdx.x == 1 && threadIdx.x == 5) throw std::runtime_error("something");
}

TEST(Faults, ExceptionsComeOutWithTheirPlace) {
  EXPECT_THAT(fault_of(throwing_kernel, {3, 32, 0}),
              HasSubstr("simt: kernel: block 1: thread 5: threw: something (seed 1, launch 1)"));
}

alignas(16) constexpr unsigned char kSource[1024] = {};

// What a copy needs, before which a kernel errs.
__device__ CopyBarrier* started_barrier() {
  auto* barrier = reinterpret_cast<CopyBarrier*>(shared_memory() + 512);
  if (threadIdx.x == 0) ossau::device::start(barrier);
  __syncthreads();
  return barrier;
}

__global__ void unawaited_copy_kernel() {
  ossau::device::begin_copy(shared_memory(), kSource, 512, started_barrier());
}

__global__ void part_of_a_warp_kernel() {
  CopyBarrier* barrier = started_barrier();
  if (threadIdx.x < 31) ossau::device::begin_copy(shared_memory(), kSource, 512, barrier);
  __syncwarp();
}

__global__ void unlike_copies_kernel() {
  ossau::device::begin_copy(shared_memory(), kSource + threadIdx.x / 16 * 16, 512,
                            started_barrier());
}

__global__ void odd_size_kernel() {
  ossau::device::begin_copy(shared_memory(), kSource, 500, started_barrier());
}

__global__ void odd_source_kernel() {
  ossau::device::begin_copy(shared_memory(), kSource + 8, 496, started_barrier());
}

__global__ void odd_target_kernel() {
  ossau::device::begin_copy(shared_memory() + 4, kSource, 496, started_barrier());
}

__global__ void long_copy_kernel() {
  ossau::device::begin_copy(shared_memory(), kSource, 528, started_barrier());
}

__global__ void no_start_kernel() {
  auto* barrier = reinterpret_cast<CopyBarrier*>(shared_memory() + 512);
  ossau::device::await_copy(barrier, 0);
}

__global__ void no_copy_kernel() { ossau::device::await_copy(started_barrier(), 0); }

__global__ void last_phase_kernel() { ossau::device::await_copy(started_barrier(), 1); }

__global__ void second_copy_kernel() {
  CopyBarrier* barrier = started_barrier();
  ossau::device::begin_copy(shared_memory(), kSource, 256, barrier);
  __syncwarp();
  ossau::device::begin_copy(shared_memory() + 256, kSource, 256, barrier);
  ossau::device::await_copy(barrier, 1);
}

TEST(Faults, CopiesHaveToBeBegunByTheWarpAndAwaited) {
  const Shape shape{1, 32, 520};
  EXPECT_THAT(fault_of(unawaited_copy_kernel, shape),
              HasSubstr("the block ended while a copy was under way"));
  EXPECT_THAT(fault_of(part_of_a_warp_kernel, shape), HasSubstr("called begin_copy"));
  EXPECT_THAT(fault_of(unlike_copies_kernel, shape), HasSubstr("lanes disagree on what"));
  EXPECT_THAT(fault_of(second_copy_kernel, shape),
              HasSubstr("while the barrier's last copy is under way"));
  EXPECT_THAT(fault_of(no_start_kernel, shape), HasSubstr("a copy barrier that was not started"));
  EXPECT_THAT(fault_of(no_copy_kernel, shape),
              HasSubstr("nothing can run: 32 wait for a copy that nobody has begun"));
  EXPECT_EQ(fault_of(last_phase_kernel, shape), "");  // the phase before the first is over
}

// Two copies to one place, with a fence of each lane's reads between them or without.
template <bool kFenced, bool kFencedLate>
__global__ void copy_again_kernel() {
  CopyBarrier* barrier = started_barrier();
  ossau::device::begin_copy(shared_memory(), kSource, 256, barrier);
  ossau::device::await_copy(barrier, 0);
  if (kFenced) ossau::device::fence_proxy_async();
  __syncwarp();
  if (kFencedLate) ossau::device::fence_proxy_async();
  ossau::device::begin_copy(shared_memory(), kSource, 256, barrier);
  ossau::device::await_copy(barrier, 1);
}

TEST(Faults, CopiesHaveToWaitForFencesOfThoseWhoReadTheLast) {
  const Shape shape{1, 32, 520};
  const std::string words = "awaited, with no fence_proxy_async since";
  EXPECT_EQ(fault_of(copy_again_kernel<true, false>, shape), "");
  EXPECT_THAT(fault_of(copy_again_kernel<false, false>, shape), HasSubstr(words));
  EXPECT_THAT(fault_of(copy_again_kernel<false, true>, shape), HasSubstr(words));
}

TEST(Faults, CopiesHaveToBeOfWholePieces) {
  const Shape shape{1, 32, 520};
  EXPECT_THAT(fault_of(odd_size_kernel, shape), HasSubstr("500 bytes: not a multiple of 16"));
  EXPECT_THAT(fault_of(odd_source_kernel, shape), HasSubstr("from an address"));
  EXPECT_THAT(fault_of(odd_target_kernel, shape), HasSubstr("to an address"));
  EXPECT_THAT(fault_of(long_copy_kernel, shape), HasSubstr("beyond the block's shared memory"));
}

#if !defined(__SANITIZE_ADDRESS__)
__global__ void past_the_end_kernel() { shared_memory()[100] = 1; }

TEST(Faults, WritesPastSharedMemoryAreFoundWhenTheBlockEnds) {
  EXPECT_THAT(fault_of(past_the_end_kernel, {1, 32, 100}),
              HasSubstr("block 0: wrote outside its 100 bytes of shared memory"));
}
#else
__global__ void past_the_end_kernel() { shared_memory()[100] = 1; }

TEST(FaultsDeathTest, AddressSanitizerSeesTheFirstByteOutsideSharedMemory) {
  EXPECT_DEATH(fault_of(past_the_end_kernel, {1, 32, 100}), "heap-buffer-overflow");
}
#endif

}  // namespace
}  // namespace simt::test
