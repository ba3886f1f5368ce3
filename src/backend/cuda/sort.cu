#include <cuda_runtime.h>

#include <cub/device/device_radix_sort.cuh>
#include <string>

#include "backend/cuda/runtime.hpp"
#include "ossau/error.hpp"

namespace ossau::cuda {
namespace {

void check_sort(cudaError_t status) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();
  throw DeviceError(std::string("cuda: sort scores: ") + cudaGetErrorString(status));
}

}  // namespace

void sort_keys(std::uint64_t* keys, std::size_t count, StreamHandle stream) {
  if (count < 2) return;
  const DeviceArray<std::uint64_t> second(count, "sorting of scores");
  cub::DoubleBuffer<std::uint64_t> buffers(keys, second.data());
  std::size_t bytes = 0;
  check_sort(cub::DeviceRadixSort::SortKeys(nullptr, bytes, buffers, count, 0, 64, stream));
  const DeviceArray<unsigned char> scratch(bytes, "sorting of scores");
  check_sort(cub::DeviceRadixSort::SortKeys(scratch.data(), bytes, buffers, count, 0, 64, stream));
  if (buffers.Current() != keys) {
    copy(keys, buffers.Current(), count * sizeof(std::uint64_t), stream);
  }
  // The two arrays go when this returns.
  synchronize(stream, "sort scores");
}

}  // namespace ossau::cuda
