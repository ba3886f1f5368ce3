#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "device.cuh"
#include "launch.cuh"

// Small kernels that are right, and what runs them; tests plant bugs in them.

namespace simt::test {

inline constexpr unsigned kWholeWarp = 0xffffffffu;
inline constexpr unsigned kSeeds = 20;

template <class T>
__device__ inline T warp_sum(T value) {
  for (int offset = 16; offset > 0; offset /= 2) {
    value += __shfl_xor_sync(kWholeWarp, value, offset);
  }
  return value;
}

/// out: [blocks], sums of each block's part of in.  Shared memory: a double for each warp.
__global__ inline void block_sum_kernel(const double* in, std::size_t n, double* out) {
  auto* sums = reinterpret_cast<double*>(ossau::device::shared_memory());
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const double sum = warp_sum(i < n ? in[i] : 0.0);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double total = 0;
  for (unsigned w = 0; w < blockDim.x / 32; ++w) total += sums[w];
  out[blockIdx.x] = total;
}

/// Each block waits for the one before it by ticket, so values pass through all of them in order.
__global__ inline void chain_kernel(unsigned* ticket, unsigned* done, unsigned long long* value) {
  if (threadIdx.x != 0) return;
  const unsigned mine = atomicAdd(ticket, 1u);
  while (ossau::device::load_fresh(done) != mine) ossau::device::wait_a_little();
  *value = *value * 3 + mine;
  __threadfence();
  atomicExch(done, mine + 1);
}

/// Adds up n pieces of 512 bytes, copied ahead into a ring of three.  out: [32].
/// Shared memory: the ring, then its barriers.
__global__ inline void ring_kernel(const std::uint32_t* in, unsigned n, std::uint32_t* out) {
  constexpr unsigned kStages = 3;
  constexpr unsigned kBytes = 512;
  unsigned char* ring = ossau::device::shared_memory();
  auto* barriers = reinterpret_cast<ossau::device::CopyBarrier*>(ring + kStages * kBytes);
  const unsigned lane = threadIdx.x;
  if (lane == 0) {
    for (unsigned s = 0; s < kStages; ++s) ossau::device::start(&barriers[s]);
  }
  __syncthreads();
  const auto begin = [&](unsigned piece) {
    const unsigned stage = piece % kStages;
    ossau::device::begin_copy(ring + stage * kBytes, in + piece * kBytes / 4, kBytes,
                              &barriers[stage]);
  };
  for (unsigned piece = 0; piece < kStages && piece < n; ++piece) begin(piece);
  std::uint32_t sum = 0;
  for (unsigned piece = 0; piece < n; ++piece) {
    const unsigned stage = piece % kStages;
    ossau::device::await_copy(&barriers[stage], piece / kStages % 2);
    const auto* words = reinterpret_cast<const std::uint32_t*>(ring + stage * kBytes);
    for (unsigned i = 0; i < kBytes / 4; i += 32) sum += words[i + (lane + piece) % 32];
    ossau::device::fence_proxy_async();
    __syncwarp();
    if (piece + kStages < n) begin(piece + kStages);
  }
  out[lane] = sum;
}
inline constexpr std::size_t kRingBytes = 3 * 512 + 3 * 8;

/// Every thread adds 1 once.
__global__ inline void count_kernel(unsigned long long* count) { atomicAdd(count, 1ull); }

/// Each warp turns its 32 numbers around through shared memory.
__global__ inline void reverse_kernel(const unsigned* in, unsigned* out) {
  auto* numbers = reinterpret_cast<unsigned*>(ossau::device::shared_memory());
  numbers[threadIdx.x] = in[threadIdx.x];
  __syncwarp();
  out[threadIdx.x] = numbers[threadIdx.x ^ 31u];
}

// Each gives what its kernel should, or says that it does not.

inline bool sums_blocks() {
  constexpr std::size_t kNumbers = 500;
  std::vector<double> in(kNumbers);
  for (std::size_t i = 0; i < kNumbers; ++i) in[i] = static_cast<double>(i * i);
  std::vector<double> out(4);
  ossau::device::launch("block_sum", block_sum_kernel, {4, 128, 4 * sizeof(double)}, nullptr,
                        in.data(), kNumbers, out.data());
  std::vector<double> expected(4);
  for (std::size_t i = 0; i < kNumbers; ++i) expected[i / 128] += in[i];
  return out == expected;
}

inline bool counts_threads() {
  unsigned long long count = 0;
  ossau::device::launch("count", count_kernel, {5, 96, 0}, nullptr, &count);
  return count == 480;
}

inline bool reverses_warps() {
  std::vector<unsigned> in(64);
  std::vector<unsigned> expected(64);
  for (unsigned i = 0; i < 64; ++i) {
    in[i] = i * 7 + 1;
    expected[i ^ 31u] = in[i];
  }
  std::vector<unsigned> out(64);
  ossau::device::launch("reverse", reverse_kernel, {1, 64, 64 * 4}, nullptr, in.data(), out.data());
  return out == expected;
}

inline bool adds_up_a_ring() {
  constexpr unsigned kPieces = 11;
  struct alignas(16) Piece {
    std::uint32_t words[128];
  };
  std::vector<Piece> in(kPieces);
  std::vector<std::uint32_t> expected(32);
  for (unsigned p = 0; p < kPieces; ++p) {
    for (unsigned i = 0; i < 128; ++i) in[p].words[i] = p * 1000 + i * i;
    for (unsigned i = 0; i < 128; ++i) expected[(i + 32 - p % 32) % 32] += in[p].words[i];
  }
  std::vector<std::uint32_t> out(32);
  ossau::device::launch("ring", ring_kernel, {1, 32, kRingBytes}, nullptr, in[0].words, kPieces,
                        out.data());
  return out == expected;
}

/// Runs it with several seeds: how often it was wrong or at fault.
template <class Run>
unsigned failures(Run run) {
  unsigned failed = 0;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    set_seed(seed);
    try {
      if (!run()) ++failed;
    } catch (const Fault&) {
      ++failed;
    }
  }
  return failed;
}

}  // namespace simt::test
