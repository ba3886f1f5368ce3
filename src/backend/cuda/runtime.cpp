#include "backend/cuda/runtime.hpp"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <cstdlib>

#include "backend/cuda/messages.hpp"
#include "ossau/error.hpp"

namespace ossau::cuda {
namespace {

constexpr int kOldestMajor = 8;  // compute capability that the kernels are compiled for

[[noreturn]] void fail(cudaError_t status, std::string_view what) {
  (void)cudaGetLastError();  // or the next launch would be blamed
  throw DeviceError(
      fmt::format("cuda: {}: {} ({})", what, cudaGetErrorString(status), cudaGetErrorName(status)));
}

void check(cudaError_t status, std::string_view what) {
  if (status != cudaSuccess) fail(status, what);
}

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

std::string why_no_driver() {
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess || version == 0) {
    return "no NVIDIA driver is installed";
  }
  return fmt::format("the NVIDIA driver is too old: it knows CUDA {}, this build needs {}",
                     version_text(version), version_text(CUDART_VERSION));
}

std::string why_none_visible() {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr) return "no NVIDIA GPU was found";
  return fmt::format("no NVIDIA GPU is visible: CUDA_VISIBLE_DEVICES is '{}'", visible);
}

std::string name_of(int ordinal) {
  cudaDeviceProp properties;
  if (cudaGetDeviceProperties(&properties, ordinal) != cudaSuccess) return "unknown";
  return properties.name;
}

int major_of(int ordinal) {
  int major = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal),
        "ask for the compute capability");
  return major;
}

std::string why_too_old() {
  if (!usable_devices().empty()) return "";
  return fmt::format("{} is too old: this build needs compute capability {}.0 or newer", name_of(0),
                     kOldestMajor);
}

// Of the current device.
[[noreturn]] void fail_full(std::size_t bytes, const std::string& what) {
  (void)cudaGetLastError();
  int ordinal = 0;
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  (void)cudaGetDevice(&ordinal);
  (void)cudaMemGetInfo(&free_bytes, &total_bytes);
  DeviceInfo device;
  device.ordinal = ordinal;
  device.name = name_of(ordinal);
  device.free_bytes = free_bytes;
  throw DeviceError(device_is_full(device, what, bytes));
}

}  // namespace

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  (void)cudaGetLastError();
  return 0;
}

std::vector<int> usable_devices() {
  std::vector<int> usable;
  for (int ordinal = 0; ordinal < device_count(); ++ordinal) {
    if (major_of(ordinal) >= kOldestMajor) usable.push_back(ordinal);
  }
  return usable;
}

std::string why_no_device() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  (void)cudaGetLastError();
  if (status == cudaErrorInsufficientDriver) return why_no_driver();
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    return why_none_visible();
  }
  if (status != cudaSuccess) return fmt::format("CUDA says: {}", cudaGetErrorString(status));
  return why_too_old();
}

DeviceInfo use_device(int ordinal) {
  check(cudaSetDevice(ordinal), fmt::format("use device {}", ordinal));
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, ordinal), fmt::format("look at device {}", ordinal));
  if (properties.major < kOldestMajor) {
    throw DeviceError(fmt::format(
        "cuda: device {} ({}): compute capability {}.{}: left out (this build needs {}.0 or newer)",
        ordinal, properties.name, properties.major, properties.minor, kOldestMajor));
  }
  DeviceInfo info{.ordinal = ordinal,
                  .name = properties.name,
                  .major = properties.major,
                  .minor = properties.minor,
                  .multiprocessors = properties.multiProcessorCount,
                  .shared_bytes = properties.sharedMemPerBlockOptin,
                  .memory_bytes = properties.totalGlobalMem,
                  .free_bytes = 0};
  std::size_t total_bytes = 0;
  check(cudaMemGetInfo(&info.free_bytes, &total_bytes),
        fmt::format("ask device {} for its free memory", ordinal));
  return info;
}

void* allocate(std::size_t bytes, const std::string& what) {
  void* memory = nullptr;
  if (bytes == 0) return memory;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status == cudaErrorMemoryAllocation) fail_full(bytes, what);
  check(status, "allocate " + what);
  return memory;
}

void release(void* memory) noexcept { (void)cudaFree(memory); }

void* allocate_pinned(std::size_t bytes, const std::string& what) {
  void* memory = nullptr;
  if (bytes == 0) return memory;
  const cudaError_t status = cudaHostAlloc(&memory, bytes, cudaHostAllocDefault);
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    throw DeviceError(
        fmt::format("cuda: {}: the host has no {} of memory that can be page-locked (free memory, "
                    "or use fewer rows)",
                    what, gigabytes(bytes)));
  }
  check(status, "allocate page-locked " + what);
  return memory;
}

void release_pinned(void* memory) noexcept { (void)cudaFreeHost(memory); }

const void* pin(const void* memory, std::size_t bytes, const std::string& what) {
  void* host = const_cast<void*>(memory);  // it is only read; CUDA has no such word
  check(cudaHostRegister(host, bytes, cudaHostRegisterPortable | cudaHostRegisterMapped),
        "lock " + what + " in memory");
  void* on_device = nullptr;
  check(cudaHostGetDevicePointer(&on_device, host, 0), "show " + what + " to the device");
  return on_device;
}

void unpin(const void* memory) noexcept { (void)cudaHostUnregister(const_cast<void*>(memory)); }

void copy(void* to, const void* from, std::size_t bytes, StreamHandle stream) {
  if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream), "copy");
}

void fill_zero(void* memory, std::size_t bytes, StreamHandle stream) {
  if (bytes > 0) check(cudaMemsetAsync(memory, 0, bytes, stream), "fill memory with zeros");
}

bool finished(StreamHandle stream, const char* what) {
  const cudaError_t status = cudaStreamQuery(stream);
  if (status == cudaErrorNotReady) {
    (void)cudaGetLastError();
    return false;
  }
  check(status, what);
  return true;
}

void synchronize(StreamHandle stream, const char* what) {
  check(cudaStreamSynchronize(stream), what);
}

StreamHandle make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "make a stream");
  return stream;
}

void release(StreamHandle stream) noexcept { (void)cudaStreamDestroy(stream); }

EventHandle make_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "make an event");
  return event;
}

void release(EventHandle event) noexcept { (void)cudaEventDestroy(event); }

void record(EventHandle event, StreamHandle stream) {
  check(cudaEventRecord(event, stream), "record an event");
}

void wait(StreamHandle stream, EventHandle event) {
  check(cudaStreamWaitEvent(stream, event, 0), "make a stream wait for an event");
}

void wait(EventHandle event, const char* what) { check(cudaEventSynchronize(event), what); }

double elapsed_s(EventHandle begin, EventHandle end) {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin, end), "read the time between two events");
  return 1e-3 * static_cast<double>(milliseconds);
}

// Thread-local: other ranks of this process go on allocating on their devices meanwhile.
void begin_capture(StreamHandle stream) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin a graph");
}

GraphHandle end_capture(StreamHandle stream) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream, &graph), "end a graph");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  (void)cudaGraphDestroy(graph);
  check(status, "make a graph ready to run");
  return executable;
}

void abandon_capture(StreamHandle stream) noexcept {
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(stream, &graph) == cudaSuccess) (void)cudaGraphDestroy(graph);
  (void)cudaGetLastError();
}

void launch(GraphHandle graph, StreamHandle stream) {
  check(cudaGraphLaunch(graph, stream), "launch a graph");
}

void release(GraphHandle graph) noexcept { (void)cudaGraphExecDestroy(graph); }

}  // namespace ossau::cuda
