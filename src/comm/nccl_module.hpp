#pragma once

#include <string>

#include "comm/nccl/module_table.hpp"

namespace ossau {

/// What the CUDA module offers for adding up between GPUs, loaded at the first call; null where it
/// is not to be had.  why: gets the reason, also where the module is there and NCCL is not.
const nccl::ModuleTable* nccl_module(std::string* why);

}  // namespace ossau
