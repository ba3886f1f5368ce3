#include "simt/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <exception>
#include <map>
#include <utility>

namespace simt {
namespace {

// Threads wait in vain where nothing else happened for so many windows of so many steps.
constexpr std::uint64_t kWindowSteps = 256;
constexpr unsigned kIdleWindows = 64;
constexpr unsigned kVainWindows = 4096;

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::kSync:
      return "__syncwarp";
    case Operation::kShuffle:
      return "a shuffle";
    case Operation::kBallot:
      return "__ballot_sync";
    case Operation::kAny:
      return "__any_sync";
    case Operation::kAll:
      return "__all_sync";
  }
  return "";
}

std::string wait_of(const Lane& lane) {
  const bool ready = (lane.warp->ready >> lane.index & 1u) != 0;
  switch (ready ? Waits::kNot : lane.waits) {
    case Waits::kForWarp:
      return fmt::format("{} of lanes {:#010x}", name_of(lane.operation), lane.mask);
    case Waits::kForBarrier: {
      const Barrier& barrier = lane.warp->block->barriers[lane.barrier];
      const std::string name =
          lane.barrier == 0 ? "__syncthreads" : fmt::format("team_barrier {}", lane.barrier);
      return fmt::format("{} ({} of {} are there)", name, barrier.arrived, barrier.threads);
    }
    case Waits::kForCopy:
      return "a copy that nobody has begun";
    case Waits::kNot:
      return "what no other thread writes";
  }
  return "";
}

}  // namespace

Machine::Machine(std::string kernel, Shape shape, const std::function<void()>& body,
                 const LaunchSettings& settings)
    : sabotage(settings.sabotage),
      kernel_(std::move(kernel)),
      shape_(shape),
      body_(body),
      seed_(settings.seed),
      launch_(settings.launch),
      random_(settings.schedule),
      resident_blocks_(shape.cooperative ? shape.blocks : settings.resident_blocks),
      whole_copies_(chance(2)) {
  order_.resize(shape.blocks);
  for (unsigned i = 0; i < shape.blocks; ++i) {
    const std::size_t other = random_.below(i + 1);
    order_[i] = order_[other];
    order_[other] = i;
  }
  counts.launches = 1;
}

void Machine::run() {
  for (fill(); !blocks_.empty(); fill()) step();
}

void Machine::fill() {
  while (blocks_.size() < resident_blocks_ && next_block_ < order_.size()) {
    blocks_.push_back(std::make_unique<Block>(shape_, order_[next_block_++]));
    Block& block = *blocks_.back();
    for (std::size_t t = 0; t < block.lanes.size(); ++t) block.lanes[t].fiber.prepare(enter, t);
    for (Warp& warp : block.warps) make_ready(warp, warp.exists);
  }
}

void Machine::step() {
  if (!copies_.empty() && (runnable_.empty() || chance(4))) {
    deliver();
    return;
  }
  if (runnable_.empty()) {
    throw Fault(fmt::format("simt: {}: nothing can run: {} {}", kernel_, what_they_wait_for(),
                            seed_text()));
  }
  run_warp(*runnable_[random_.below(runnable_.size())]);
  if (++steps_ % kWindowSteps == 0) watch();
}

void Machine::run_warp(Warp& warp) {
  // Mostly short turns, sometimes one so long that the others stay far behind.
  for (std::size_t turns = std::size_t{1} << random_.below(7); turns > 0 && warp.ready != 0;
       --turns) {
    ++warp.rounds;
    const std::uint64_t spins = warp.spins;
    unsigned lanes = warp.ready;
    const std::uint64_t dice = random_.next();
    if (dice % 8 == 0) lanes &= static_cast<unsigned>(dice >> 32);
    if (lanes == 0) lanes = warp.ready;
    const auto first = static_cast<unsigned>(dice >> 8);
    const auto stride = static_cast<unsigned>(dice >> 16) | 1u;
    for (unsigned i = 0; i < kWarpLanes; ++i) {
      const unsigned index = (first + i * stride) % kWarpLanes;
      if ((lanes >> index & 1u) != 0) run_lane(warp.lanes[index]);
    }
    // All it does is wait for others.
    if (warp.spins - spins == static_cast<unsigned>(std::popcount(lanes))) break;
  }
  if (warp.ready == 0) unlist(warp);
  Block& block = *warp.block;
  if (block.exited == block.lanes.size()) retire(block);
}

void Machine::run_lane(Lane& lane) {
  here = &lane;
  lane.fiber.resume();
  here = nullptr;
  if (failure_) throw Fault(*failure_);
}

void Machine::enter() {
  Lane& lane = self();
  lane.fiber.entered();
  Machine& launch = *machine;
  try {
    launch.body_();
    launch.leave(lane);
  } catch (const Fault& fault) {
    launch.failure_ = fault;
  } catch (const std::exception& error) {
    launch.failure_ = Fault(launch.located(std::string("threw: ") + error.what()));
  } catch (...) {
    launch.failure_ = Fault(launch.located("threw what is no exception"));
  }
  lane.fiber.leave();
}

void Machine::leave(Lane& lane) {
  Warp& warp = *lane.warp;
  Block& block = *warp.block;
  warp.ready &= ~(1u << lane.index);
  warp.exited |= 1u << lane.index;
  lane.exited = true;
  ++block.exited;
  progress = true;
  announce_exit(lane);
}

void Machine::retire(Block& block) {
  if (block.copies > 0) fault_of_block(block, "the block ended while a copy was under way");
  if (!block.shared.intact()) {
    fault_of_block(block,
                   fmt::format("wrote outside its {} bytes of shared memory", shape_.shared_bytes));
  }
  const auto found = std::find_if(blocks_.begin(), blocks_.end(),
                                  [&](const auto& alive) { return alive.get() == &block; });
  std::swap(*found, blocks_.back());
  blocks_.pop_back();
}

void Machine::make_ready(Warp& warp, unsigned lanes) {
  warp.ready |= lanes;
  if (warp.listed) return;
  warp.listed = true;
  warp.position = runnable_.size();
  runnable_.push_back(&warp);
}

void Machine::unlist(Warp& warp) {
  runnable_.back()->position = warp.position;
  runnable_[warp.position] = runnable_.back();
  runnable_.pop_back();
  warp.listed = false;
}

void Machine::wait(Lane& lane, Waits what) {
  lane.waits = what;
  lane.warp->ready &= ~(1u << lane.index);
  lane.fiber.suspend();
  lane.waits = Waits::kNot;
}

void Machine::spin(Lane& lane) {
  ++lane.warp->spins;
  yield(lane);
}

// A warp that had turns and did not spin has worked; but if it does so for ages while others spin
// and nothing comes of it, it only waits in a larger loop.
void Machine::watch() {
  bool worked = progress;
  bool spun = false;
  for (const Warp* warp : runnable_) {
    worked = worked || (warp->rounds > 0 && warp->spins == 0);
    spun = spun || warp->spins > 0;
  }
  for (const auto& block : blocks_) {
    for (Warp& warp : block->warps) warp.rounds = warp.spins = 0;
  }
  idle_windows_ = worked ? 0 : idle_windows_ + 1;
  vain_windows_ = progress || !spun ? 0 : vain_windows_ + 1;
  progress = false;
  if (idle_windows_ < kIdleWindows && vain_windows_ < kVainWindows) return;
  throw Fault(fmt::format("simt: {}: threads wait in vain: {} {}", kernel_, what_they_wait_for(),
                          seed_text()));
}

std::string Machine::what_they_wait_for() const {
  struct Group {
    unsigned threads = 0;
    std::string first;
  };
  std::map<std::string, Group> groups;
  for (const auto& block : blocks_) {
    for (const Lane& lane : block->lanes) {
      if (lane.exited) continue;
      Group& group = groups[wait_of(lane)];
      if (group.threads++ > 0) continue;
      group.first = fmt::format("block {} thread {}", block->index, lane.thread.x);
    }
  }
  std::string text;
  for (const auto& [wait, group] : groups) {
    text += fmt::format("{}{} {} for {}, first {}", text.empty() ? "" : "; ", group.threads,
                        group.threads == 1 ? "waits" : "wait", wait, group.first);
  }
  return text;
}

std::string Machine::seed_text() const {
  return fmt::format("(seed {}, launch {})", seed_, launch_);
}

std::string Machine::located(const std::string& reason) const {
  return fmt::format("simt: {}: block {}: thread {}: {} {}", kernel_, here->block.x, here->thread.x,
                     reason, seed_text());
}

void Machine::fault(const std::string& reason) const { throw Fault(located(reason)); }

void Machine::fault_of_block(const Block& block, const std::string& reason) const {
  throw Fault(fmt::format("simt: {}: block {}: {} {}", kernel_, block.index, reason, seed_text()));
}

void run(const std::string& kernel, Shape shape, const std::function<void()>& body) {
  struct Current {
    explicit Current(Machine* launch) { machine = launch; }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    ~Current() {
      add(machine->counts);
      machine = nullptr;
      here = nullptr;
    }
  };
  Machine launch(kernel, shape, body, next_launch());
  const Current current(&launch);
  launch.run();
}

}  // namespace simt
