#pragma once

#include <filesystem>
#include <vector>

#include "core/file_descriptor.hpp"
#include "train/observer.hpp"

namespace ossau {

/// Writes metrics.jsonl: one JSON object a line for every epoch, each line handed to the system at
/// once, so that a reader may follow and a killed run keeps what it had.
class MetricsLog final : public TrainingObserver {
 public:
  /// Creates or empties `file`.  Throws DeviceError.
  explicit MetricsLog(std::filesystem::path file);

  void on_start(const TrainingStart&) override {}
  /// The lines of the epochs before: another run wrote them, perhaps into another directory.
  void on_resume(const ResumePoint& from, const std::vector<EpochReport>& reports) override;
  /// Throws DeviceError, for example where the disk is full.
  void on_epoch(const EpochReport& report) override;

 private:
  std::filesystem::path file_;
  FileDescriptor descriptor_;
};

}  // namespace ossau
