#pragma once

#include <memory>

#include "comm/communicator.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Ties this process to the others that a launcher has started with it, once all of them say the
/// same of program, configuration and GPUs; null where it was started alone.
/// Throws ConfigError, DeviceError or CommError.
std::unique_ptr<Communicator> join_job(const Config& config);

/// Whether this process writes the results and talks to people.
inline bool leads(const Communicator* job) { return job == nullptr || job->rank().rank == 0; }

}  // namespace ossau
