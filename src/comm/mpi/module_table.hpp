#pragma once

#include <functional>
#include <memory>
#include <string>

#include "comm/process/transport.hpp"
#include "core/rank.hpp"

namespace ossau::mpi {

/// Which rank MPI says this is, and the way to the others.
struct Start {
  RankInfo rank;
  std::unique_ptr<Transport> transport;
};

/// What the MPI module offers, a shared library beside the program that is loaded under an MPI
/// launcher only.
struct ModuleTable {
  /// For example "Open MPI v4.1.4".
  std::string (*mpi_version)() = nullptr;
  /// Starts MPI; once in a process.  Throws TransportError.
  Start (*start)() = nullptr;
};

inline constexpr const char* kModuleName = "ossau_mpi";
inline constexpr const char* kEntry = "ossau_mpi_transport";

}  // namespace ossau::mpi
