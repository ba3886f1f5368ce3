#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ossau/error.hpp"
#include "train/checkpoint_folder.hpp"
#include "train/interrupting_backend.hpp"
#include "train/training_contract.hpp"

namespace ossau::test {

// Trainings that are left and gone on with, for backends of every kind.

/// A checkpoint after every n-th step, all of them kept.
inline Config with_checkpoints(Config config, const std::filesystem::path& folder,
                               std::int64_t every_steps) {
  config.checkpoint.directory = folder.string();
  config.checkpoint.every_steps = every_steps;
  config.checkpoint.every_minutes = 0;
  config.checkpoint.keep = 1'000'000;
  return config;
}

/// About `most` of a training's checkpoints, the first and the last among them.
inline std::vector<CheckpointEntry> some_checkpoints(const std::filesystem::path& folder,
                                                     std::size_t most) {
  const std::vector<CheckpointEntry> all = list_checkpoints(folder);
  const std::size_t stride = std::max<std::size_t>(1, all.size() / most);
  std::vector<CheckpointEntry> some;
  for (std::size_t i = 0; i < all.size(); i += stride) some.push_back(all[i]);
  if (!all.empty()) some.push_back(all.back());
  return some;
}

/// What a training on `second` leaves that goes on from a checkpoint file.
inline Outcome outcome_from(Config config, const std::filesystem::path& file,
                            const BackendMaker& second) {
  config.checkpoint = {};
  config.checkpoint.resume = file.string();
  return outcome_of(config, second);
}

/// A backend whose rows may take so many bytes of its memory.
using LimitedMaker = std::function<BackendMaker(std::optional<std::int64_t> memory_bytes)>;

/// From the CPU to a device and back, in the middle of epochs, with rows that fit and that stream.
inline void expect_resumes_between_cpu_and(const LimitedMaker& device, const MethodSample& sample) {
  const TemporaryDirectory directory;
  Config config = config_of(sample, directory);
  const Outcome expected = outcome_of(config, make_backend);
  const std::int64_t every_steps = config.training.batch_size == 1 ? 60 : 4;
  const auto on_cpu = directory.path() / "cpu";
  outcome_of(with_checkpoints(config, on_cpu, every_steps), make_backend);
  for (const CheckpointEntry& entry : some_checkpoints(on_cpu, 2)) {
    config.run.ranks = 1 + entry.steps / every_steps % 2;
    EXPECT_EQ(outcome_from(config, entry.file, device(std::nullopt)), expected) << entry.file;
  }
  for (const std::optional<std::int64_t> memory : {std::optional<std::int64_t>{}, {20'000}}) {
    const auto on_device = directory.path() / (memory ? "streamed" : "resident");
    config.run.ranks = 1;
    EXPECT_EQ(outcome_of(with_checkpoints(config, on_device, every_steps), device(memory)),
              expected);
    for (const CheckpointEntry& entry : some_checkpoints(on_device, 3)) {
      config.run.ranks = 1 + entry.steps / every_steps % 3;
      EXPECT_EQ(outcome_from(config, entry.file, make_backend), expected) << entry.file;
    }
  }
}

/// Interrupts a training at its n-th step (or run of steps) on one rank, as often as it can be,
/// each time with what `change` makes of the configuration.  The outcome of the run that ended, and
/// how often it was interrupted.
struct Interruptions {
  Outcome outcome;
  int count = 0;
};
template <class Change>
Interruptions outcome_with_interruptions(const Config& given, const BackendMaker& make,
                                         std::int64_t at, const Change& change) {
  Interruptions found;
  for (;; ++found.count) {
    Config config = given;
    change(config, found.count);
    const InterruptionHandlers forget_the_last;
    try {
      const std::int64_t rank = found.count % config.run.ranks.value_or(1);
      found.outcome = outcome_of(config, interrupting(make, at, rank));
      return found;
    } catch (const Interrupted& interrupted) {
      const std::string message = interrupted.what();
      EXPECT_EQ(interrupted.code(), ExitCode::kInterrupted);
      EXPECT_NE(message.find("run the same command again to go on"), std::string::npos) << message;
    }
  }
}

}  // namespace ossau::test
