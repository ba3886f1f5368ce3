#pragma once

#include <cstddef>
#include <string>

// What can be said of a GPU without CUDA's headers.

// CUDA's own names for its handles.
struct CUstream_st;
struct CUevent_st;
struct CUgraphExec_st;

namespace ossau::cuda {

using StreamHandle = CUstream_st*;
using EventHandle = CUevent_st*;
using GraphHandle = CUgraphExec_st*;

/// One device as it is now.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  int major = 0;  // compute capability
  int minor = 0;
  int multiprocessors = 0;
  std::size_t shared_bytes = 0;  // that a block may have at most
  std::size_t memory_bytes = 0;
  std::size_t free_bytes = 0;
};

}  // namespace ossau::cuda
