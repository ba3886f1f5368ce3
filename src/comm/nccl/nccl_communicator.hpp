#pragma once

#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "comm/nccl/module_table.hpp"

namespace ossau::nccl {

#if defined(OSSAU_NCCL)
std::string why_no_nccl();
std::string nccl_version();

/// Ties the GPUs of all ranks of `host` together; every rank must call it, each with a device of
/// its own.  What is not in a GPU's memory goes through `host`, which must outlive it.  Graphs that
/// recorded a reduction must be gone before it is.  Throws DeviceError or CommError.
std::unique_ptr<Communicator> make_nccl_communicator(Communicator& host, DeviceRank mine);
#endif

}  // namespace ossau::nccl
