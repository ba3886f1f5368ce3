#pragma once

#include <functional>

#include "comm/communicator.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Calls `work` on every rank that the configuration asks for, each with its communicator, and
/// returns when all have ended.  Where ranks fail, throws the error of one that failed by itself
/// before that of one that only lost the others.
void run_ranks(const Config& config, const std::function<void(Communicator&)>& work);

}  // namespace ossau
