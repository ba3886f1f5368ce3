#pragma once

#include <nccl.h>

#include <string>

namespace ossau::nccl {

/// The functions of NCCL that are used, found at run time: a program that needed NCCL's library to
/// start would not start where it is not installed.
struct Library {
  decltype(&ncclGetVersion) get_version = nullptr;
  decltype(&ncclGetErrorString) get_error_string = nullptr;
  decltype(&ncclGetLastError) get_last_error = nullptr;
  decltype(&ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&ncclCommInitRankConfig) comm_init_rank_config = nullptr;
  decltype(&ncclCommGetAsyncError) comm_get_async_error = nullptr;
  decltype(&ncclAllReduce) all_reduce = nullptr;
  decltype(&ncclCommFinalize) comm_finalize = nullptr;
  decltype(&ncclCommDestroy) comm_destroy = nullptr;
  decltype(&ncclCommAbort) comm_abort = nullptr;

  std::string why;  // not loaded; empty where it is
};

/// Loaded at the first call.
const Library& library();

}  // namespace ossau::nccl
