#include "train/checkpoint_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "ossau/error.hpp"
#include "support/files.hpp"

namespace ossau::test {
namespace {

const CheckpointIdentity kIdentity{.exact = "1", .config = "{}", .data = "abc"};

TrainingState sample_state() {
  TrainingState state;
  state.position = {.epoch = 3,
                    .step = 17,
                    .steps = 206,
                    .rows_visited = 1'000'000'007,
                    .epoch_totals = {.loss_floors = -5, .loss_fractions = INT64_MAX},
                    .last_rate = 0.1,
                    .gradient_max = 0x1p-1074,
                    .elapsed_s = 12.5,
                    .evaluate_s = 0.25,
                    .communication_s = 0.125,
                    .epoch_started_s = 11};
  state.model = {.weights = {1, -0.0, 0.1}, .beside = {4, 5, 6}, .nesterov_t = 7, .scale = 0.3};
  state.early_stopper = {.best = -0.5, .best_weights = {7, 8, 9}, .passes_without_gain = 2};
  EpochReport bare;
  bare.epoch = 1;
  EpochReport full;
  full.epoch = 2;
  full.steps = 126;
  full.learning_rate = 0.1;
  full.log_loss = 0.3;
  full.gradient_max = 1e-7;
  full.validation = Metrics{.objective = 0.5,
                            .log_loss = 0.4,
                            .accuracy = 0.9,
                            .auc = std::numeric_limits<double>::quiet_NaN(),
                            .gradient_max = 0.01,
                            .true_positives = 1,
                            .false_positives = 2,
                            .true_negatives = 3,
                            .false_negatives = 4};
  full.elapsed_s = 3;
  full.rows_per_second = 1e9;
  state.reports = {bare, full};
  return state;
}

// The bytes of a file hold every bit of a state.
std::string bytes_of(const TrainingState& state) {
  const TemporaryDirectory directory;
  save_checkpoint(directory.path() / "a", state, kIdentity);
  return read_file(directory.path() / "a");
}

TrainingState read_back(const TrainingState& state) {
  const TemporaryDirectory directory;
  save_checkpoint(directory.path() / "a", state, kIdentity);
  return state_of(load_safetensors(directory.path() / "a"), 2);
}

TEST(CheckpointFile, GivesBackEveryBitOfAState) {
  const TrainingState state = sample_state();
  const TrainingState back = read_back(state);
  EXPECT_EQ(bytes_of(back), bytes_of(state));
  EXPECT_EQ(back.position.epoch_totals.loss_fractions, INT64_MAX);
  EXPECT_EQ(back.position.gradient_max, 0x1p-1074);
  EXPECT_EQ(back.model.beside, state.model.beside);
  EXPECT_EQ(back.early_stopper->best_weights, state.early_stopper->best_weights);
  ASSERT_EQ(back.reports.size(), 2u);
  EXPECT_FALSE(back.reports[0].validation.has_value());
  EXPECT_FALSE(back.reports[0].gradient_max.has_value());
  EXPECT_EQ(back.reports[1].steps, 126);
  EXPECT_EQ(back.reports[1].rows_per_second, 1e9);
  EXPECT_TRUE(std::isnan(back.reports[1].validation->auc));
  EXPECT_EQ(back.reports[1].validation->false_negatives, 4);
}

TEST(CheckpointFile, GivesBackWhatIsAbsentAsAbsent) {
  TrainingState state = sample_state();
  state.position.gradient_max.reset();
  state.model.beside.clear();
  state.reports.clear();
  state.early_stopper = EarlyStopperState{};
  EXPECT_EQ(bytes_of(read_back(state)), bytes_of(state));
  EXPECT_FALSE(read_back(state).early_stopper->best.has_value());
  state.early_stopper.reset();
  EXPECT_EQ(bytes_of(read_back(state)), bytes_of(state));
  EXPECT_FALSE(read_back(state).early_stopper.has_value());
  EXPECT_FALSE(read_back(state).position.gradient_max.has_value());
}

TEST(CheckpointFile, OfAnotherShapeIsADataErrorThatNamesTheFile) {
  TrainingState state = sample_state();
  state.model.weights.push_back(0);
  try {
    read_back(state);
    ADD_FAILURE() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("weights"), std::string::npos) << error.what();
  }
  state = sample_state();
  state.model.beside = {1};
  EXPECT_THROW(read_back(state), DataError);
}

}  // namespace
}  // namespace ossau::test
