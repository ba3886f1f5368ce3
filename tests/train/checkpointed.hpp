#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "train/resume_contract.hpp"

namespace ossau::test {

/// A short training with checkpoints after steps 3, 6, 9 and 12 in a folder, and what it leaves.
class Checkpointed : public ::testing::Test {
 protected:
  Checkpointed() {
    config_ = small_config(write_csv(directory_, "train.csv", {.rows = 650, .columns = 6}));
    config_.optimizer.momentum = 0.9;
    config_.data.validation_fraction = 0.1;
    expected_ = outcome_of(config_, make_backend);
    config_ = with_checkpoints(config_, folder_, 3);
    outcome_of(config_, make_backend);
    entries_ = list_checkpoints(folder_);
    config_.checkpoint.every_steps.reset();
  }

  // Where the training went on, 0: at the beginning.
  std::int64_t resumed_from() const {
    RecordingObserver observer;
    const Summary summary = run_training(config_, observer).summary;
    EXPECT_EQ(observer.resumes.size(), summary.resumed_from_step ? 1u : 0u);
    return summary.resumed_from_step.value_or(0);
  }

  template <class Expected>
  std::string problem() const {
    try {
      train_quietly(config_);
    } catch (const Expected& error) {
      return error.what();
    }
    return "no error of the expected kind";
  }

  static void cut(const std::filesystem::path& file, std::uintmax_t bytes) {
    std::filesystem::resize_file(file, bytes);
  }
  static void flip(const std::filesystem::path& file) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekg(-20, std::ios::end);
    const int byte = out.get();
    out.seekp(-20, std::ios::end);
    out.put(static_cast<char>(byte ^ 1));
  }

  const TemporaryDirectory directory_;
  const std::filesystem::path folder_ = directory_.path() / "checkpoints";
  Config config_;
  Outcome expected_;
  std::vector<CheckpointEntry> entries_;  // newest first
};

}  // namespace ossau::test
