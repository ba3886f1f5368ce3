// Asynchronous copies into shared memory: begun by a warp, done at any time later.

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "simt/device.hpp"
#include "simt/machine.hpp"

namespace simt {
namespace {

using ossau::device::CopyBarrier;

constexpr std::uint32_t kChunk = 16;  // bytes
constexpr std::uint16_t kStarted = 0x51b7;

/// What the state of a CopyBarrier holds.
struct Phase {
  std::uint32_t bytes;  // still to come
  std::uint8_t arrived;
  std::uint8_t parity;
  std::uint16_t started;
};

Phase phase_of(const CopyBarrier& barrier) {
  const auto phase = std::bit_cast<Phase>(barrier.state);
  if (phase.started != kStarted) machine->fault("a copy barrier that was not started");
  return phase;
}

void set_phase(CopyBarrier* barrier, Phase phase) {
  barrier->state = std::bit_cast<std::uint64_t>(phase);
}

void check_barrier(const Lane& lane, const CopyBarrier* barrier) {
  if (!lane.warp->block->shared.holds(barrier, sizeof(*barrier)) ||
      reinterpret_cast<std::uintptr_t>(barrier) % alignof(CopyBarrier) != 0) {
    machine->fault("a copy barrier that is not in the block's shared memory at a multiple of 8");
  }
}

void check(const Lane& lane, const CopyCall& call) {
  check_barrier(lane, call.barrier);
  const auto to = reinterpret_cast<std::uintptr_t>(call.shared);
  const auto from = reinterpret_cast<std::uintptr_t>(call.global);
  if (call.bytes == 0 || call.bytes % kChunk != 0) {
    machine->fault(fmt::format("begin_copy of {} bytes: not a multiple of 16", call.bytes));
  }
  if (to % kChunk != 0) machine->fault("begin_copy to an address that is no multiple of 16");
  if (from % kChunk != 0) machine->fault("begin_copy from an address that is no multiple of 16");
  if (!lane.warp->block->shared.holds(call.shared, call.bytes)) {
    machine->fault(
        fmt::format("begin_copy of {} bytes beyond the block's shared memory", call.bytes));
  }
  if (lane.warp->exists != 0xffffffffu) machine->fault("begin_copy by a warp of under 32 threads");
}

std::uint32_t chunks(const Copy& copy) {
  if (copy.next >= copy.end) return 0;
  return (copy.end - copy.next - 1) / copy.step + 1;
}

}  // namespace

// A device's copy engine is asked by lane 0 alone, as soon as that lane is here; without one each
// lane copies a part.  A kernel has to be right either way, so a launch takes either.
void Machine::begin_copy(Lane& lane, CopyCall call) {
  check(lane, call);
  record_copy_call(lane, call);
  if (!whole_copies_ || lane.index == 0) issue(lane, call);
  if (chance(4)) yield(lane);
}

void Machine::record_copy_call(Lane& lane, const CopyCall& call) {
  Warp& warp = *lane.warp;
  const std::size_t place = lane.copies_begun++ - warp.copy_calls_done;
  if (place == warp.copy_calls.size()) {
    if (warp.exited != 0) fault("begin_copy after lanes of the warp exited");
    for (const CopyCall& other : warp.copy_calls) {
      if (other.barrier != call.barrier) continue;
      fault("begin_copy, and not all lanes of the warp began the last copy of this barrier");
    }
    check_fences(lane, call);
    warp.copy_calls.push_back(call);
  }
  CopyCall& recorded = warp.copy_calls[place];
  if (recorded.shared != call.shared || recorded.global != call.global ||
      recorded.bytes != call.bytes || recorded.barrier != call.barrier) {
    fault("lanes disagree on what begin_copy copies");
  }
  recorded.lanes |= 1u << lane.index;
  while (!warp.copy_calls.empty() && warp.copy_calls.front().lanes == warp.exists) {
    warp.copy_calls.pop_front();
    ++warp.copy_calls_done;
  }
}

// Plain reads cannot be seen; whoever waited for a copy has most likely read it.
void Machine::check_fences(const Lane& lane, const CopyCall& call) const {
  for (const Lane& other : lane.warp->block->lanes) {
    if (std::find(other.unfenced.begin(), other.unfenced.end(), call.barrier) ==
        other.unfenced.end()) {
      continue;
    }
    fault(fmt::format("begin_copy over what thread {} awaited, with no fence_proxy_async since",
                      other.thread.x));
  }
}

void Machine::check_copy_calls(const Lane& lane) {
  const Warp& warp = *lane.warp;
  if (warp.copy_calls.empty()) return;
  if (lane.exited && lane.copies_begun == warp.copy_calls_done + warp.copy_calls.size()) return;
  fault(fmt::format("only lanes {:#010x} of the warp called begin_copy",
                    warp.copy_calls.front().lanes));
}

void Machine::issue(Lane& lane, const CopyCall& call) {
  Phase phase = phase_of(*call.barrier);
  const unsigned arrivals = whole_copies_ ? 1 : kWarpLanes;
  if (phase.arrived == arrivals) fault("begin_copy while the barrier's last copy is under way");
  Copy copy{lane.warp->block,
            call.barrier,
            static_cast<unsigned char*>(call.shared),
            static_cast<const unsigned char*>(call.global),
            0,
            call.bytes,
            kChunk};
  if (!whole_copies_) {
    copy.next = lane.index * kChunk;
    copy.step = kWarpLanes * kChunk;
  }
  for (std::uint32_t at = copy.next; at < copy.end; at += copy.step) {
    std::memset(copy.to + at, 0xff, kChunk);
  }
  ++phase.arrived;
  phase.bytes += chunks(copy) * kChunk;
  set_phase(call.barrier, phase);
  if (chunks(copy) > 0) {
    ++counts.copies;
    ++copy.block->copies;
    copies_.push_back(copy);
  }
  arrive(*copy.block, call.barrier, 0);
}

// Some of the chunks of one copy, from where it stands.
void Machine::deliver() {
  const std::size_t chosen = random_.below(copies_.size());
  Copy& copy = copies_[chosen];
  const std::uint32_t some = std::max(1u, chunks(copy) >> random_.below(4));
  for (std::uint32_t i = 0; i < some; ++i, copy.next += copy.step) {
    std::memcpy(copy.to + copy.next, copy.from + copy.next, kChunk);
  }
  Block& block = *copy.block;
  CopyBarrier* barrier = copy.barrier;
  if (copy.next >= copy.end) {
    --block.copies;
    copy = copies_.back();
    copies_.pop_back();
  }
  progress = true;
  arrive(block, barrier, some * kChunk);
}

void Machine::arrive(Block& block, CopyBarrier* barrier, std::uint32_t bytes) {
  auto phase = std::bit_cast<Phase>(barrier->state);
  if (phase.started != kStarted) fault_of_block(block, "a copy barrier was overwritten in use");
  phase.bytes -= bytes;
  if (phase.bytes == 0 && phase.arrived == (whole_copies_ ? 1 : kWarpLanes)) {
    phase.arrived = 0;
    phase.parity ^= 1u;
    std::erase_if(block.copy_waiters, [&](Lane* waiter) {
      if (waiter->copy != barrier) return false;
      make_ready(*waiter->warp, 1u << waiter->index);
      return true;
    });
  }
  set_phase(barrier, phase);
}

void Machine::await_copy(Lane& lane, CopyBarrier* barrier, std::uint32_t parity) {
  check_barrier(lane, barrier);
  if (parity > 1) fault(fmt::format("await_copy of parity {}: 0 or 1", parity));
  if (sabotage == Sabotage::kEarlyCopies) return;
  if (chance(4)) yield(lane);
  // Looks again after it was woken: a phase that this thread was too late for does not count.
  while (phase_of(*barrier).parity == parity) {
    lane.copy = barrier;
    lane.warp->block->copy_waiters.push_back(&lane);
    wait(lane, Waits::kForCopy);
  }
  lane.unfenced.push_back(barrier);
}

void start(CopyBarrier* barrier) {
  check_barrier(self(), barrier);
  set_phase(barrier, {0, 0, 0, kStarted});
  maybe_yield();
}

void fence_proxy_async() { machine->fence_proxy_async(self()); }

void begin_copy(void* shared, const void* global, std::uint32_t bytes, CopyBarrier* barrier) {
  machine->begin_copy(self(), {shared, global, bytes, barrier, 0});
}

void await_copy(CopyBarrier* barrier, std::uint32_t parity) {
  machine->await_copy(self(), barrier, parity);
}

}  // namespace simt
