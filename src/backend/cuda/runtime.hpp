#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/device.hpp"
#include "core/memory.hpp"
#include "queue.hpp"

// What the CUDA backend needs of a device's runtime, without CUDA's headers.  There are two
// implementations: runtime.cpp upon the CUDA runtime, and tests/simt/ upon the interpreter that
// runs the kernels on the CPU; so the backend is the same text in both.

namespace ossau::cuda {

/// Devices that this process can see; 0 where there is no driver or no device.
int device_count();

/// Those of them that the kernels run on, by their ordinals: some may be too old.  Throws
/// DeviceError.
std::vector<int> usable_devices();

/// Why there is none: no driver, an old driver, no device that is new enough.  Empty where there is
/// one.
std::string why_no_device();

/// Makes a device current for the calling thread and describes it.  Throws DeviceError.
DeviceInfo use_device(int ordinal);

/// Memory of the current device, uninitialised.  what: for the error, which says how much was
/// needed and how much was free.  0 bytes give null.  Throws DeviceError.
void* allocate(std::size_t bytes, const std::string& what);
void release(void* memory) noexcept;

/// Page-locked memory of the host, which copies need to overlap with kernels.
void* allocate_pinned(std::size_t bytes, const std::string& what);
void release_pinned(void* memory) noexcept;

/// Locks memory of the host in place, so that kernels can read it; the address at which they do.
const void* pin(const void* memory, std::size_t bytes, const std::string& what);
void unpin(const void* memory) noexcept;

/// Queued on a stream, in order, as what queue.hpp has.  The memory may be on either side.
void copy(void* to, const void* from, std::size_t bytes, StreamHandle stream);

/// Whether everything queued so far is done.  Throws DeviceError where it failed.
bool finished(StreamHandle stream, const char* what);
/// Waits for it; never for a stream that carries a collective.
void synchronize(StreamHandle stream, const char* what);

StreamHandle make_stream();
void release(StreamHandle stream) noexcept;

EventHandle make_event();
void release(EventHandle event) noexcept;
void record(EventHandle event, StreamHandle stream);
/// What is queued on `stream` from here on starts after `event`.
void wait(StreamHandle stream, EventHandle event);
/// Blocks the host until the event has happened.
void wait(EventHandle event, const char* what);
/// Seconds between two recorded events, once both have happened.
double elapsed_s(EventHandle begin, EventHandle end);

/// Between the two, what is queued on `stream` is not run but recorded.
void begin_capture(StreamHandle stream);
GraphHandle end_capture(StreamHandle stream);
/// After an error: what was recorded is forgotten.
void abandon_capture(StreamHandle stream) noexcept;
void launch(GraphHandle graph, StreamHandle stream);
void release(GraphHandle graph) noexcept;

struct Releaser {
  template <class T>
  void operator()(T* handle) const noexcept {
    release(handle);
  }
};
struct PinnedReleaser {
  void operator()(void* memory) const noexcept { release_pinned(memory); }
};

using Stream = std::unique_ptr<CUstream_st, Releaser>;
using Event = std::unique_ptr<CUevent_st, Releaser>;
using Graph = std::unique_ptr<CUgraphExec_st, Releaser>;

/// An array in the memory of the device.
template <class T>
class DeviceArray {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  DeviceArray() = default;
  DeviceArray(std::size_t size, const std::string& what)
      : memory_(allocate(size * sizeof(T), what)), size_(size) {}

  T* data() const { return static_cast<T*>(memory_.get()); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  void zero(StreamHandle stream) { fill_zero(data(), bytes(), stream); }

 private:
  std::unique_ptr<void, Releaser> memory_;
  std::size_t size_ = 0;
};

/// A page-locked array of the host.
template <class T>
class PinnedArray {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  PinnedArray() = default;
  PinnedArray(std::size_t size, const std::string& what)
      : memory_(allocate_pinned(size * sizeof(T), what)), size_(size) {}

  T* data() const { return static_cast<T*>(memory_.get()); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](std::size_t i) const { return data()[i]; }

 private:
  std::unique_ptr<void, PinnedReleaser> memory_;
  std::size_t size_ = 0;
};

/// Memory of the host that kernels can read as long as this lives.  An array that does not start on
/// a huge page of its own (core/aligned.hpp) may share pages with others, and a page is locked once
/// only: of such an array this is a copy.
class Pin {
 public:
  Pin() = default;
  Pin(const void* memory, std::size_t bytes, const std::string& what) {
    const bool own_pages =
        bytes >= kHugePage && reinterpret_cast<std::uintptr_t>(memory) % kHugePage == 0;
    if (!own_pages) {
      copy_ = PinnedArray<char>(bytes, what);
      if (bytes > 0) std::memcpy(copy_.data(), memory, bytes);
      on_device_ = copy_.data();
    } else {
      memory_ = memory;
      on_device_ = pin(memory, bytes, what);
    }
  }
  Pin(Pin&& other) noexcept { swap(other); }
  Pin& operator=(Pin&& other) noexcept {
    swap(other);
    return *this;
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin() {
    if (memory_ != nullptr) unpin(memory_);
  }

  /// For kernels.
  template <class T>
  const T* as() const {
    return static_cast<const T*>(on_device_);
  }

 private:
  void swap(Pin& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(on_device_, other.on_device_);
    std::swap(copy_, other.copy_);
  }

  const void* memory_ = nullptr;
  const void* on_device_ = nullptr;
  PinnedArray<char> copy_;
};

}  // namespace ossau::cuda
