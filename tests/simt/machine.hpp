#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simt/fiber.hpp"
#include "simt/interpreter.hpp"
#include "simt/settings.hpp"

// What one launch consists of while it runs.  Only the interpreter's own sources include this.

namespace simt {

inline constexpr unsigned kWarpLanes = 32;
inline constexpr unsigned kNamedBarriers = 16;

class Machine;
struct Warp;
struct Block;

/// A small generator: its numbers are the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [0, n).
  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(((next() >> 32) * std::uint64_t{n}) >> 32);
  }

 private:
  std::uint64_t state_;
};

enum class Waits : std::uint8_t { kNot, kForWarp, kForBarrier, kForCopy };

struct Lane : Place {
  Fiber fiber;
  Warp* warp = nullptr;
  unsigned index = 0;  // in its warp
  bool exited = false;
  Waits waits = Waits::kNot;
  Operation operation = Operation::kSync;
  unsigned mask = 0;
  unsigned source = 0;
  std::uint64_t value = 0;
  std::uint64_t result = 0;
  unsigned barrier = 0;
  const ossau::device::CopyBarrier* copy = nullptr;
  // Of copies that arrived: their memory may have been read since the last fence.
  std::vector<const ossau::device::CopyBarrier*> unfenced;
  const void* polled = nullptr;
  std::size_t copies_begun = 0;
};

/// A begin_copy that not all lanes of the warp have called yet.
struct CopyCall {
  void* shared;
  const void* global;
  std::uint32_t bytes;
  ossau::device::CopyBarrier* barrier;
  unsigned lanes;  // that have
};

struct Warp {
  Block* block = nullptr;
  Lane* lanes = nullptr;
  // One bit a lane.
  unsigned exists = 0;
  unsigned ready = 0;
  unsigned waiting = 0;  // for the warp
  unsigned exited = 0;
  unsigned common_mask = 0;  // of all that wait, 0 if they differ
  std::deque<CopyCall> copy_calls;
  std::size_t copy_calls_done = 0;
  bool listed = false;  // among the machine's runnable ones
  std::size_t position = 0;
  // Since the watch for loops that wait in vain last looked.
  std::uint64_t rounds = 0;
  std::uint64_t spins = 0;
};

struct Barrier {
  unsigned threads = 0;
  unsigned arrived = 0;
};

/// Dynamic shared memory: poisoned, and found to be written past its end by AddressSanitizer or by
/// what stands around it.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  unsigned char* data() const;
  bool holds(const void* address, std::size_t bytes) const;
  bool intact() const;

 private:
  unsigned char* memory_ = nullptr;
  std::size_t bytes_;
};

struct Block {
  Block(const Shape& shape, unsigned block_index);

  unsigned index;
  SharedMemory shared;
  std::vector<Lane> lanes;
  std::vector<Warp> warps;
  std::array<Barrier, kNamedBarriers> barriers;
  std::vector<Lane*> copy_waiters;
  std::size_t exited = 0;
  std::size_t copies = 0;  // under way
};

/// A copy that has begun: the chunks of 16 bytes at next, next + step, ... below end.
struct Copy {
  Block* block;
  ossau::device::CopyBarrier* barrier;
  unsigned char* to;
  const unsigned char* from;
  std::uint32_t next;
  std::uint32_t end;
  std::uint32_t step;
};

class Machine {
 public:
  Machine(std::string kernel, Shape shape, const std::function<void()>& body,
          const LaunchSettings& settings);
  void run();

  [[noreturn]] void fault(const std::string& reason) const;  // of the thread that runs
  /// Lets others run; the thread stays ready.
  void yield(Lane& lane) { lane.fiber.suspend(); }
  /// Until someone makes the thread ready.
  void wait(Lane& lane, Waits what);
  void make_ready(Warp& warp, unsigned lanes);
  bool chance(unsigned one_in) { return random_.below(one_in) == 0; }

  std::uint64_t warp_operation(Lane& lane);
  void barrier(Lane& lane, unsigned id, unsigned threads);
  void spin(Lane& lane);
  void begin_copy(Lane& lane, CopyCall call);
  void await_copy(Lane& lane, ossau::device::CopyBarrier* barrier, std::uint32_t parity);
  void fence_proxy_async(Lane& lane) { lane.unfenced.clear(); }
  /// By a thread: all lanes of its warp have begun the same copies, at a point where they must.
  void check_copy_calls(const Lane& lane);

  Sabotage sabotage;
  Counts counts;
  bool progress = false;  // since the watch last looked

 private:
  static void enter();
  void run_lane(Lane& lane);
  void run_warp(Warp& warp);
  void leave(Lane& lane);
  void step();
  void fill();
  void retire(Block& block);
  void unlist(Warp& warp);
  void watch();
  void check_masks(Lane& lane);
  void complete(Lane& lane);
  void issue(Lane& lane, const CopyCall& call);
  void record_copy_call(Lane& lane, const CopyCall& call);
  void check_fences(const Lane& lane, const CopyCall& call) const;
  void deliver();
  void arrive(Block& block, ossau::device::CopyBarrier* barrier, std::uint32_t bytes);
  void announce_exit(Lane& lane);
  std::string what_they_wait_for() const;
  [[noreturn]] void fault_of_block(const Block& block, const std::string& reason) const;
  std::string seed_text() const;
  std::string located(const std::string& reason) const;

  std::string kernel_;
  Shape shape_;
  const std::function<void()>& body_;
  std::uint64_t seed_;
  std::uint64_t launch_;  // of this host thread since the seed was set
  Random random_;
  unsigned resident_blocks_;
  bool whole_copies_;  // as by a copy engine that one lane asks, or by each lane a part
  std::vector<unsigned> order_;
  std::size_t next_block_ = 0;
  std::vector<std::unique_ptr<Block>> blocks_;  // alive
  std::vector<Warp*> runnable_;
  std::vector<Copy> copies_;
  std::optional<Fault> failure_;
  std::uint64_t steps_ = 0;
  unsigned idle_windows_ = 0;
  unsigned vain_windows_ = 0;
};

/// The launch that this host thread runs.
inline constinit thread_local Machine* machine = nullptr;

inline Lane& self() { return *static_cast<Lane*>(here); }

}  // namespace simt
