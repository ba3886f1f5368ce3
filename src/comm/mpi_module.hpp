#pragma once

#include <string>

#include "comm/mpi/module_table.hpp"

namespace ossau {

/// What the MPI module offers, loaded at the first call; null where it is not to be had.
/// why: gets the reason.
const mpi::ModuleTable* mpi_module(std::string* why);

}  // namespace ossau
