#include "simt/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "backend/cuda/messages.hpp"
#include "core/clock.hpp"
#include "ossau/error.hpp"

// backend/cuda/runtime.hpp upon the memory of the host.  What is queued runs at once, by the thread
// that queues it, unless it is recorded for a graph.

namespace {

using Step = std::function<void()>;

struct Recording {
  std::vector<Step> steps;
  bool open = true;
};

}  // namespace

// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier): CUDA's own names.
struct CUstream_st {
  std::shared_ptr<Recording> recording;
  bool origin = false;  // of the recording
};
struct CUevent_st {
  std::shared_ptr<Recording> recording;
  double happened_s = -1;
};
struct CUgraphExec_st {
  std::shared_ptr<Recording> recording;
};
// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

namespace {

using ossau::DeviceError;

constexpr std::size_t kAlignment = 256;  // of what cudaMalloc gives
constexpr unsigned kMostThreads = 1024;

double now_s() {
  static const ossau::Stopwatch clock;
  return clock.seconds();
}

struct Memory {
  std::mutex mutex;
  simt::Limits limits;
  std::unordered_map<void*, std::size_t> allocations;
  std::unordered_set<const void*> pinned;
  std::size_t used = 0;
  std::size_t free() const { return limits.memory_bytes - std::min(used, limits.memory_bytes); }
};
Memory& memory_of_device() {
  static Memory instance;
  return instance;
}

// Exactly so many bytes: AddressSanitizer sees the first one past the end.
void* poisoned(std::size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes) != 0) return nullptr;
  return std::memset(memory, 0xff, bytes);
}

bool captured(const CUstream_st* stream) {
  return stream != nullptr && stream->recording && stream->recording->open;
}

void queue(CUstream_st* stream, Step step) {
  if (captured(stream)) {
    stream->recording->steps.push_back(std::move(step));
  } else {
    step();
  }
}

void refuse_while_captured(const CUstream_st* stream, const char* what) {
  if (!captured(stream)) return;
  throw DeviceError(fmt::format("cuda: {}: not permitted while the stream is captured", what));
}

}  // namespace

namespace simt {

void set_limits(const Limits& limits) {
  const std::lock_guard lock(memory_of_device().mutex);
  memory_of_device().limits = limits;
}

Limits limits() {
  const std::lock_guard lock(memory_of_device().mutex);
  return memory_of_device().limits;
}

void queue_kernel(ossau::cuda::StreamHandle stream, const std::string& name, Shape shape,
                  std::function<void()> body) {
  if (shape.blocks == 0 || shape.threads == 0 || shape.threads > kMostThreads) {
    throw DeviceError(fmt::format("cuda: {}: {} blocks of {} threads (1 to {} threads, 1 block)",
                                  name, shape.blocks, shape.threads, kMostThreads));
  }
  if (shape.shared_bytes > limits().shared_bytes) {
    throw DeviceError(fmt::format("cuda: {}: {} bytes of shared memory: a block may have {}", name,
                                  shape.shared_bytes, limits().shared_bytes));
  }
  queue(stream, [name, shape, body = std::move(body)] { run(name, shape, body); });
}

}  // namespace simt

namespace ossau::cuda {

int device_count() { return simt::limits().devices; }

std::vector<int> usable_devices() {
  std::vector<int> usable(static_cast<std::size_t>(device_count()));
  std::iota(usable.begin(), usable.end(), 0);
  return usable;
}

std::string why_no_device() { return device_count() > 0 ? "" : "no device"; }

namespace {

DeviceInfo describe(const Memory& memory, int ordinal) {
  DeviceInfo info;
  info.ordinal = ordinal;
  info.name = "SIMT interpreter";
  info.major = 9;
  info.multiprocessors = memory.limits.multiprocessors;
  info.shared_bytes = memory.limits.shared_bytes;
  info.memory_bytes = memory.limits.memory_bytes;
  info.free_bytes = memory.free();
  return info;
}

}  // namespace

DeviceInfo use_device(int ordinal) {
  if (ordinal < 0 || ordinal >= device_count()) {
    throw DeviceError(fmt::format("cuda: device {}: there is no such device ({} found)", ordinal,
                                  device_count()));
  }
  Memory& memory = memory_of_device();
  const std::lock_guard lock(memory.mutex);
  return describe(memory, ordinal);
}

void* allocate(std::size_t bytes, const std::string& what) {
  if (bytes == 0) return nullptr;
  Memory& memory = memory_of_device();
  const std::lock_guard lock(memory.mutex);
  void* address = bytes <= memory.free() ? poisoned(bytes) : nullptr;
  if (address == nullptr) {
    throw DeviceError(device_is_full(describe(memory, 0), what, bytes));
  }
  memory.allocations.emplace(address, bytes);
  memory.used += bytes;
  return address;
}

void release(void* address) noexcept {
  if (address == nullptr) return;
  Memory& memory = memory_of_device();
  const std::lock_guard lock(memory.mutex);
  const auto found = memory.allocations.find(address);
  if (found == memory.allocations.end()) std::abort();  // released twice, or never allocated
  memory.used -= found->second;
  memory.allocations.erase(found);
  std::free(address);
}

void* allocate_pinned(std::size_t bytes, const std::string& what) {
  if (bytes == 0) return nullptr;
  void* address = poisoned(bytes);
  if (address == nullptr) {
    throw DeviceError(fmt::format("cuda: {}: {} bytes of page-locked memory needed", what, bytes));
  }
  return address;
}

void release_pinned(void* address) noexcept { std::free(address); }

const void* pin(const void* address, std::size_t bytes, const std::string& what) {
  Memory& memory = memory_of_device();
  const std::lock_guard lock(memory.mutex);
  if (!memory.pinned.insert(address).second) {
    throw DeviceError(
        fmt::format("cuda: {}: {} bytes of memory are page-locked already", what, bytes));
  }
  return address;
}

void unpin(const void* address) noexcept {
  Memory& memory = memory_of_device();
  const std::lock_guard lock(memory.mutex);
  if (memory.pinned.erase(address) == 0) std::abort();  // not pinned, or unpinned twice
}

void copy(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  if (bytes == 0) return;
  queue(stream, [=] { std::memcpy(to, from, bytes); });
}

void fill_zero(void* memory, std::size_t bytes, StreamHandle stream) {
  if (bytes == 0) return;
  queue(stream, [=] { std::memset(memory, 0, bytes); });
}

void sort_keys(std::uint64_t* keys, std::size_t count, StreamHandle stream) {
  queue(stream, [=] { std::sort(keys, keys + count); });
}

bool finished(StreamHandle stream, const char* what) {
  refuse_while_captured(stream, what);
  return true;
}

void synchronize(StreamHandle stream, const char* what) { refuse_while_captured(stream, what); }

StreamHandle make_stream() { return std::make_unique<CUstream_st>().release(); }
void release(StreamHandle stream) noexcept { const std::unique_ptr<CUstream_st> owned(stream); }

EventHandle make_event() { return std::make_unique<CUevent_st>().release(); }
void release(EventHandle event) noexcept { const std::unique_ptr<CUevent_st> owned(event); }

void record(EventHandle event, StreamHandle stream) {
  event->recording = captured(stream) ? stream->recording : nullptr;
  event->happened_s = captured(stream) ? -1 : now_s();
}

void wait(StreamHandle stream, EventHandle event) {
  // As in CUDA: a stream that waits for a captured one is captured with it.
  if (event->recording && event->recording->open) stream->recording = event->recording;
}

void wait(EventHandle event, const char* what) {
  if (!event->recording) return;
  throw DeviceError(fmt::format("cuda: {}: the event was recorded while captured", what));
}

double elapsed_s(EventHandle begin, EventHandle end) {
  if (begin->happened_s < 0 || end->happened_s < 0) {
    throw DeviceError("cuda: elapsed time: an event was not recorded");
  }
  return end->happened_s - begin->happened_s;
}

void begin_capture(StreamHandle stream) {
  refuse_while_captured(stream, "begin capture");
  stream->recording = std::make_shared<Recording>();
  stream->origin = true;
}

GraphHandle end_capture(StreamHandle stream) {
  if (!captured(stream) || !stream->origin) {
    throw DeviceError("cuda: end capture: the stream is not captured");
  }
  stream->origin = false;
  stream->recording->open = false;
  auto graph = std::make_unique<CUgraphExec_st>();
  graph->recording = std::exchange(stream->recording, nullptr);
  return graph.release();
}

void abandon_capture(StreamHandle stream) noexcept {
  if (!captured(stream) || !stream->origin) return;
  stream->origin = false;
  stream->recording->open = false;
  stream->recording = nullptr;
}

void launch(GraphHandle graph, StreamHandle stream) {
  refuse_while_captured(stream, "graph launch");
  for (const Step& step : graph->recording->steps) step();
}

void release(GraphHandle graph) noexcept { const std::unique_ptr<CUgraphExec_st> owned(graph); }

}  // namespace ossau::cuda
