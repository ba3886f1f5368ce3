#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "comm/communicator.hpp"
#include "ossau/config.hpp"

namespace ossau {

using Facts = std::function<std::map<std::string, std::string>()>;

/// Ties this process to the others that a launcher has started with it; null where it was started
/// alone.  Before it returns, every rank has been reached by every one that it will talk to, and
/// all have said the same.
/// facts: asked for what must be the same on every rank, beside the program, its arithmetic and the
/// keys of the configuration that decide the model.
/// Throws ConfigError, or CommError naming who did not come or who disagrees.
std::unique_ptr<Communicator> join_processes(const Config& config, const Facts& facts);

}  // namespace ossau
