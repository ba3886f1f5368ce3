#pragma once

#include "ossau/config.hpp"
#include "ossau/summary.hpp"
#include "train/model.hpp"
#include "train/observer.hpp"

namespace ossau {

struct TrainingResult {
  Model model;
  Summary summary;  // without model_sha256 and run_directory
};

/// Reads the data of `config`, trains, evaluates at the final weights and returns the result.
/// observer: told of the start and of every epoch, on rank 0.  Writes no file.
/// Throws ConfigError, DataError, DeviceError or CommError.
TrainingResult run_training(const Config& config, TrainingObserver& observer);

}  // namespace ossau
