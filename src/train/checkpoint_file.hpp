#pragma once

#include <cstdint>
#include <filesystem>

#include "core/safetensors.hpp"
#include "train/checkpoint_identity.hpp"
#include "train/training_state.hpp"

namespace ossau {

/// Writes a checkpoint, aside first, then renamed.  Throws DeviceError.
void save_checkpoint(const std::filesystem::path& file, const TrainingState& state,
                     const CheckpointIdentity& identity);

/// The state in a checkpoint of a model with `features` features.  Throws DataError where it is
/// none that save_checkpoint wrote.
TrainingState state_of(const Safetensors& file, std::int64_t features);

}  // namespace ossau
