#pragma once

#include <memory>

#include "comm/communicator.hpp"

namespace ossau {

/// One rank alone: nothing to wait for.
std::unique_ptr<Communicator> make_single_communicator();

}  // namespace ossau
