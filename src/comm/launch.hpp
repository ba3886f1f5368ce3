#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "comm/communicator.hpp"
#include "ossau/config.hpp"

namespace ossau {

/// Calls `work` on every rank that the configuration asks for, each with its communicator, and
/// returns when all have ended.  Where ranks fail, throws the error of one that failed by itself
/// before that of one that only lost the others.
void run_ranks(const Config& config, const std::function<void(Communicator&)>& work);

/// Throws DeviceError with the reason where GPUs cannot add up between each other: before work that
/// would be lost.
void require_device_sums(std::int64_t ranks);

/// For ranks with a GPU each: a communicator that also reduces buffers in the memory of the GPUs,
/// and has `host` do the rest.  Every rank must ask for it.  `host` must outlive it, and it must
/// outlive every graph that has recorded one of its reductions.
/// timeout_s: of every wait.  Throws DeviceError or CommError.
std::unique_ptr<Communicator> pair_with_device(Communicator& host, int device, double timeout_s);

}  // namespace ossau
