#pragma once

#include <cstdint>
#include <optional>

#include "comm/communicator.hpp"
#include "ossau/config.hpp"
#include "train/checkpoint_identity.hpp"
#include "train/training_state.hpp"

namespace ossau {

/// Throws ConfigError where checkpoint.resume names a path that is not there: before work that
/// would be lost.
void require_resume_path(const CheckpointConfig& config);

/// Where to go on from; nothing: from the beginning.  Collective: rank 0 looks on its disk, and all
/// get what it found.  `auto` warns of checkpoints that do not serve; a path that does not serve is
/// a ConfigError or a DataError, on rank 0.
std::optional<Resumption> find_resumption(const CheckpointConfig& config,
                                          const CheckpointIdentity& identity, std::int64_t features,
                                          Communicator& communicator);

}  // namespace ossau
