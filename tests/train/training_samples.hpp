#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "ossau/config.hpp"
#include "support/files.hpp"
#include "support/tables.hpp"
#include "train/observer.hpp"
#include "train/training.hpp"

namespace ossau::test {

/// Writes a generated table as CSV: columns label, weight (if weighted), f1, f2, ...
std::filesystem::path write_csv(const TemporaryDirectory& directory, const std::string& name,
                                const TableShape& shape);

/// Writes rows of few of `columns` features as LIBSVM text: up to four entries each, now and then
/// forty.
std::filesystem::path write_wide_libsvm(const TemporaryDirectory& directory,
                                        const std::string& name, std::int64_t rows,
                                        std::int64_t columns);

/// A short training on one thread of such a file.
Config small_config(const std::filesystem::path& file);

/// Keeps what it is told.
class RecordingObserver : public TrainingObserver {
 public:
  void on_start(const TrainingStart& start) override { starts.push_back(start); }
  void on_resume(const ResumePoint& from, const std::vector<EpochReport>& reports) override {
    resumes.push_back(from);
    epochs = reports;
  }
  void on_epoch(const EpochReport& report) override { epochs.push_back(report); }

  std::vector<TrainingStart> starts;
  std::vector<ResumePoint> resumes;
  std::vector<EpochReport> epochs;
};

TrainingResult train_quietly(const Config& config);

/// SHA-256 of the model file that a training ends in.
std::string model_hash(const Config& config);

/// SHA-256 of the bits of weights and intercept alone.
std::string weight_hash(const Model& model);

}  // namespace ossau::test
