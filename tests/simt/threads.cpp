// What a thread of a kernel may ask for: warp operations, barriers, atomics.

#include <fmt/format.h>

#include <bit>

#include "simt/machine.hpp"

namespace simt {
namespace {

constexpr unsigned kWholeWarp = 0xffffffffu;

template <class Visit>
void for_each_lane(unsigned lanes, Visit visit) {
  for (; lanes != 0; lanes &= lanes - 1) visit(static_cast<unsigned>(std::countr_zero(lanes)));
}

}  // namespace

// ---- Warp operations

void Machine::check_masks(Lane& lane) {
  Warp& warp = *lane.warp;
  if ((lane.mask >> lane.index & 1u) == 0) {
    fault(fmt::format("mask {:#010x} does not name its own lane {}", lane.mask, lane.index));
  }
  if ((lane.mask & ~warp.exists) != 0) {
    fault(fmt::format("mask {:#010x} names a lane outside the block", lane.mask));
  }
  if ((lane.mask & warp.exited) != 0) {
    fault(fmt::format("mask {:#010x} names a lane that has exited", lane.mask));
  }
  if (warp.waiting == 0) warp.common_mask = lane.mask;
  if (warp.common_mask == lane.mask) return;
  warp.common_mask = 0;
  for_each_lane(warp.waiting, [&](unsigned other) {
    const unsigned its = warp.lanes[other].mask;
    const bool meet = (its >> lane.index & 1u) != 0 || (lane.mask >> other & 1u) != 0;
    if (!meet || its == lane.mask) return;
    fault(fmt::format("lanes disagree on the mask: {:#010x} here, {:#010x} of lane {}", lane.mask,
                      its, other));
  });
}

std::uint64_t Machine::warp_operation(Lane& lane) {
  ++counts.warp_operations;
  check_masks(lane);
  Warp& warp = *lane.warp;
  warp.waiting |= 1u << lane.index;
  if ((warp.waiting & lane.mask) == lane.mask) {
    complete(lane);
    yield(lane);
  } else {
    wait(lane, Waits::kForWarp);
  }
  return lane.result;
}

void Machine::complete(Lane& lane) {
  Warp& warp = *lane.warp;
  unsigned ballot = 0;
  for_each_lane(lane.mask, [&](unsigned i) {
    const Lane& other = warp.lanes[i];
    if (other.operation != lane.operation) {
      fault(fmt::format("lane {} of the same mask is at another operation", i));
    }
    if (other.operation == Operation::kShuffle && (lane.mask >> other.source & 1u) == 0) {
      fault(fmt::format("lane {} reads from lane {}, which mask {:#010x} does not name", i,
                        other.source, lane.mask));
    }
    if (other.value != 0) ballot |= 1u << i;
  });
  for_each_lane(lane.mask, [&](unsigned i) {
    Lane& other = warp.lanes[i];
    switch (lane.operation) {
      case Operation::kShuffle:
        other.result = warp.lanes[other.source].value;
        break;
      case Operation::kBallot:
        other.result = ballot;
        break;
      case Operation::kAny:
        other.result = ballot != 0 ? 1 : 0;
        break;
      case Operation::kAll:
        other.result = ballot == lane.mask ? 1 : 0;
        break;
      case Operation::kSync:
        break;
    }
  });
  if (lane.mask == kWholeWarp) check_copy_calls(lane);
  warp.waiting &= ~lane.mask;
  make_ready(warp, lane.mask);
}

// ---- Barriers

void Machine::barrier(Lane& lane, unsigned id, unsigned threads) {
  ++counts.barriers;
  Block& block = *lane.warp->block;
  Barrier& barrier = block.barriers[id];
  if (id == 0 && block.exited > 0) {
    fault(fmt::format("__syncthreads after {} threads of the block exited", block.exited));
  }
  if (barrier.arrived == 0) barrier.threads = threads;
  if (barrier.threads != threads) {
    fault(fmt::format("team_barrier {} of {} threads: others wait there for {}", id, threads,
                      barrier.threads));
  }
  lane.barrier = id;
  if (++barrier.arrived < threads) return wait(lane, Waits::kForBarrier);
  barrier.arrived = 0;
  lane.waits = Waits::kForBarrier;
  for (Warp& warp : block.warps) {
    unsigned released = 0;
    for_each_lane(warp.exists, [&](unsigned i) {
      const Lane& other = warp.lanes[i];
      if (other.waits == Waits::kForBarrier && other.barrier == id) released |= 1u << i;
    });
    if (id != 0 && released != 0 && released != kWholeWarp) {
      fault(fmt::format("team_barrier {}: lanes {:#010x} of a warp came, not all", id, released));
    }
    if (released != 0) make_ready(warp, released);
    // So that a barrier's next use does not count them again before they run.
    for_each_lane(released, [&](unsigned i) { warp.lanes[i].waits = Waits::kNot; });
  }
  yield(lane);
}

void Machine::announce_exit(Lane& lane) {
  Warp& warp = *lane.warp;
  Block& block = *warp.block;
  for_each_lane(warp.waiting, [&](unsigned other) {
    if ((warp.lanes[other].mask >> lane.index & 1u) == 0) return;
    fault(
        fmt::format("exits while lane {} waits for it: mask {:#010x} names a lane that has exited",
                    other, warp.lanes[other].mask));
  });
  if (block.barriers[0].arrived > 0) {
    fault(fmt::format("exits while {} threads of the block wait in __syncthreads",
                      block.barriers[0].arrived));
  }
  check_copy_calls(lane);
}

// ---- What kernels call

std::uint64_t warp_operation(Operation operation, unsigned mask, std::uint64_t value,
                             unsigned source) {
  Lane& lane = self();
  lane.operation = operation;
  lane.mask = mask;
  lane.value = value;
  lane.source = source;
  return machine->warp_operation(lane);
}

void sync_warp(unsigned mask) {
  if (machine->sabotage == Sabotage::kDropWarpBarrier) return;
  warp_operation(Operation::kSync, mask, 0, 0);
}

void sync_block() {
  if (machine->sabotage == Sabotage::kDropBlockBarrier) return;
  machine->barrier(self(), 0, self().threads.x);
}

void team_barrier(unsigned id, unsigned threads) {
  if (id == 0 || id >= kNamedBarriers) {
    machine->fault(fmt::format("team_barrier {}: no such barrier (1 to 15)", id));
  }
  if (threads == 0 || threads % kWarpLanes != 0 || threads > self().threads.x) {
    machine->fault(fmt::format("team_barrier {} of {} threads: a multiple of 32 of the block's {}",
                               id, threads, self().threads.x));
  }
  if (machine->sabotage == Sabotage::kDropBlockBarrier) return;
  machine->barrier(self(), id, threads);
}

void pause() { machine->spin(self()); }

void maybe_yield() {
  if (machine->chance(4)) machine->yield(self());
}

void before_load(const void* address) {
  Lane& lane = self();
  const bool again = lane.polled == address;
  lane.polled = address;
  if (again) return machine->spin(lane);
  maybe_yield();
}

void before_atomic() {
  ++machine->counts.atomics;
  if (machine->chance(8)) machine->yield(self());
}

void after_atomic(bool changed) {
  if (!changed) return machine->spin(self());
  machine->progress = true;
  if (machine->chance(8)) machine->yield(self());
}

void inside_addition() {
  if (machine->sabotage == Sabotage::kLostAtomics) machine->yield(self());
}

void trap() { machine->fault("__trap"); }

}  // namespace simt
