#pragma once

#include <filesystem>
#include <utility>

#include "train/observer.hpp"

namespace ossau {

/// Looks, before the first step, whether there is room for what a run of so many features writes at
/// least: a model and a checkpoint.
class DiskSpaceCheck final : public TrainingObserver {
 public:
  /// run: where the model goes.  checkpoints: where those go; they need not be there yet.
  DiskSpaceCheck(std::filesystem::path run, std::filesystem::path checkpoints)
      : run_(std::move(run)), checkpoints_(std::move(checkpoints)) {}

  /// Throws DeviceError with what is needed and what is free.
  void on_start(const TrainingStart& start) override;
  void on_epoch(const EpochReport& /*report*/) override {}

 private:
  std::filesystem::path run_;
  std::filesystem::path checkpoints_;
};

}  // namespace ossau
