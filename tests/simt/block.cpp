#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "simt/machine.hpp"

namespace simt {
namespace {

constexpr std::size_t kAlignment = 128;
#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t kFence = 0;  // the sanitizer's own stands at the exact end
#else
constexpr std::size_t kFence = kAlignment;
#endif
constexpr unsigned char kFenceByte = 0xa5;
constexpr unsigned char kPoison = 0xff;  // a NaN, an absurd count, a barrier not started

}  // namespace

SharedMemory::SharedMemory(std::size_t bytes) : bytes_(bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes + 2 * kFence) != 0) throw std::bad_alloc();
  memory_ = static_cast<unsigned char*>(memory);
  std::memset(memory_, kFenceByte, bytes + 2 * kFence);
  std::memset(data(), kPoison, bytes);
}

SharedMemory::~SharedMemory() { std::free(memory_); }

unsigned char* SharedMemory::data() const { return memory_ + kFence; }

bool SharedMemory::holds(const void* address, std::size_t bytes) const {
  const auto first = reinterpret_cast<std::uintptr_t>(data());
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  return wanted >= first && bytes <= bytes_ && wanted - first <= bytes_ - bytes;
}

bool SharedMemory::intact() const {
  const auto is_fence = [](unsigned char byte) { return byte == kFenceByte; };
  const unsigned char* end = data() + bytes_;
  return std::all_of(memory_, memory_ + kFence, is_fence) &&
         std::all_of(end, end + kFence, is_fence);
}

Block::Block(const Shape& shape, unsigned block_index)
    : index(block_index),
      shared(shape.shared_bytes),
      lanes(shape.threads),
      warps((shape.threads + kWarpLanes - 1) / kWarpLanes) {
  for (unsigned t = 0; t < shape.threads; ++t) {
    Lane& lane = lanes[t];
    lane.thread = {t, 0, 0};
    lane.block = {index, 0, 0};
    lane.threads = {shape.threads, 1, 1};
    lane.blocks = {shape.blocks, 1, 1};
    lane.shared = shared.data();
    lane.index = t % kWarpLanes;
    lane.warp = &warps[t / kWarpLanes];
    lane.warp->exists |= 1u << lane.index;
  }
  for (std::size_t w = 0; w < warps.size(); ++w) {
    warps[w].block = this;
    warps[w].lanes = &lanes[w * kWarpLanes];
  }
}

}  // namespace simt
