#pragma once

#include <string>

#include "backend/cuda/module_table.hpp"

namespace ossau {

/// The CUDA module, loaded at the first call; null where it is not to be had.  why: gets the
/// reason, empty where the module is there; whether it sees a GPU is for the module to say.
const cuda::ModuleTable* cuda_module(std::string* why);

/// Why no GPU can be used here: the module, the driver or the GPU is missing.  Empty where one can.
std::string why_no_gpu();

}  // namespace ossau
