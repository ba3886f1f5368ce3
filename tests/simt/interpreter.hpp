#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "simt/vector_types.hpp"

// Runs a kernel on the CPU: each thread of the grid is a fiber, and one seeded generator decides
// who runs next.  Above are what tests set, below what simt/device.hpp makes CUDA's names of.
//
// A loop that waits for other threads has to pass through something that lets them run:
// wait_a_little, load_fresh, an atomic or a barrier.  A plain load does not.

namespace ossau::device {
struct CopyBarrier;
}

namespace simt {

/// What is wrong with a kernel: which one, which block and thread, and the seed that shows it.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Every launch after this is scheduled by the seed and by how many launches its host thread has
/// made since.
void set_seed(std::uint64_t seed);

/// Blocks of one launch that are alive at once; the others start as these end.  At first 8.
void set_resident_blocks(unsigned blocks);

/// Bugs that a test plants, in all launches until the next call.
enum class Sabotage {
  kNone,
  kDropBlockBarrier,  // __syncthreads and team_barrier do nothing
  kDropWarpBarrier,   // __syncwarp does nothing
  kLostAtomics,       // atomicAdd reads, lets others run, then writes
  kEarlyCopies,       // await_copy returns at once
};
void sabotage(Sabotage kind);

/// What all launches of the process did so far; barriers and warp operations count threads.
struct Counts {
  std::uint64_t launches = 0;
  std::uint64_t barriers = 0;
  std::uint64_t warp_operations = 0;
  std::uint64_t atomics = 0;
  std::uint64_t copies = 0;
};
Counts counts();

struct Shape {
  unsigned blocks = 1;
  unsigned threads = 1;  // of a block
  std::size_t shared_bytes = 0;
  bool cooperative = false;  // all blocks are alive at once
};

/// Runs `body` once for each thread.  Throws Fault.
void run(const std::string& kernel, Shape shape, const std::function<void()>& body);

// ---- For simt/device.hpp: by a thread of a kernel.

struct Place {
  uint3 thread;
  uint3 block;
  dim3 threads;
  dim3 blocks;
  unsigned char* shared = nullptr;
};

/// The thread that runs.
inline constinit thread_local Place* here = nullptr;

enum class Operation : std::uint8_t { kSync, kShuffle, kBallot, kAny, kAll };

/// Waits until all lanes of `mask` are here with the same operation.  Gives a shuffle the value of
/// lane `source`, the others what they ask of all lanes' values.
std::uint64_t warp_operation(Operation operation, unsigned mask, std::uint64_t value,
                             unsigned source);
void sync_warp(unsigned mask);
void sync_block();
void team_barrier(unsigned id, unsigned threads);

/// Lets others run; a thread that does only this is found to wait in vain.
void pause();
/// Sometimes lets others run before a read of what they write.
void before_load(const void* address);
void before_atomic();
void after_atomic(bool changed);
/// Between the read and the write of an addition: lets others run if additions shall be lost.
void inside_addition();
/// Sometimes lets others run.
void maybe_yield();
[[noreturn]] void trap();

void start(ossau::device::CopyBarrier* barrier);
/// Until the next, what this thread has awaited must not be overwritten by a copy.
void fence_proxy_async();
void begin_copy(void* shared, const void* global, std::uint32_t bytes,
                ossau::device::CopyBarrier* barrier);
void await_copy(ossau::device::CopyBarrier* barrier, std::uint32_t parity);

}  // namespace simt
