#include "train/checkpoint_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
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
  state.model = {
      .weights = {1, -0.0, 0.1}, .optimizer_state = {4, 5, 6}, .nesterov_t = 7, .scale = 0.3};
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

// Of a training by a solver.
TrainingState sample_solver_state() {
  TrainingState state;
  state.position.epoch = 2;
  state.position.step = 1;
  state.position.steps = 3;
  state.position.rows_visited = 400;
  state.solver = SolverState{.point = {1, -0.0, 0.1},
                             .hessian_point = {2, 0x1p-1074, 0.2},
                             .pairs = {{.step = {1, 2, 3}, .change = {4, 5, 6}},
                                       {.step = {-1, -2, -3}, .change = {-4, -5, 0.7}}},
                             .bounds = {0.5, std::numeric_limits<double>::infinity()},
                             .first_gradient = 0.3,
                             .gap = 1e-300,
                             .best_gap = 0.25,
                             .without_gain = 2,
                             .reads = 17,
                             .gram_passes = 4};
  EpochReport report;
  report.epoch = report.steps = 3;
  report.passes = 17;
  report.gap = 1e-5;
  state.reports = {report};
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
  EXPECT_EQ(back.model.optimizer_state, state.model.optimizer_state);
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
  state.model.optimizer_state.clear();
  state.reports.clear();
  state.early_stopper = EarlyStopperState{};
  EXPECT_EQ(bytes_of(read_back(state)), bytes_of(state));
  EXPECT_FALSE(read_back(state).early_stopper->best.has_value());
  state.early_stopper.reset();
  EXPECT_EQ(bytes_of(read_back(state)), bytes_of(state));
  EXPECT_FALSE(read_back(state).early_stopper.has_value());
  EXPECT_FALSE(read_back(state).position.gradient_max.has_value());
}

TEST(CheckpointFile, GivesBackEveryBitOfASolversState) {
  const TrainingState state = sample_solver_state();
  const TrainingState back = read_back(state);
  EXPECT_EQ(bytes_of(back), bytes_of(state));
  ASSERT_TRUE(back.solver);
  EXPECT_EQ(back.solver->point, state.solver->point);
  EXPECT_TRUE(std::signbit(back.solver->point[1]));
  EXPECT_EQ(back.solver->hessian_point, state.solver->hessian_point);
  ASSERT_EQ(back.solver->pairs.size(), 2u);
  EXPECT_EQ(back.solver->pairs[0].change, state.solver->pairs[0].change);
  EXPECT_EQ(back.solver->pairs[1].step, state.solver->pairs[1].step);
  EXPECT_EQ(back.solver->bounds, state.solver->bounds);
  EXPECT_EQ(back.solver->first_gradient, 0.3);
  EXPECT_EQ(back.solver->gap, 1e-300);
  EXPECT_EQ(back.solver->best_gap, 0.25);
  EXPECT_EQ(back.solver->without_gain, 2);
  EXPECT_EQ(back.solver->reads, 17);
  EXPECT_EQ(back.solver->gram_passes, 4);
  EXPECT_TRUE(back.model.weights.empty());
  ASSERT_EQ(back.reports.size(), 1u);
  EXPECT_EQ(back.reports[0].passes, 17);
  EXPECT_EQ(back.reports[0].gap, 1e-5);
}

TEST(CheckpointFile, GivesBackASolversBeginning) {
  TrainingState state = sample_solver_state();
  state.solver.emplace().point = {0, 0, 0};
  EXPECT_EQ(bytes_of(read_back(state)), bytes_of(state));
  EXPECT_TRUE(read_back(state).solver->hessian_point.empty());
  EXPECT_TRUE(read_back(state).solver->pairs.empty());
}

TEST(CheckpointFile, OfPointsOfAnotherSizeIsADataErrorThatNamesThem) {
  TrainingState points = sample_solver_state();
  points.solver->point.push_back(0);
  TrainingState hessian_points = sample_solver_state();
  hessian_points.solver->hessian_point.pop_back();
  TrainingState pairs = sample_solver_state();
  pairs.solver->pairs[0].step.push_back(0);
  for (const auto& [state, name] :
       {std::pair{points, "point"}, std::pair{hessian_points, "hessian_point"},
        std::pair{pairs, "pairs"}}) {
    try {
      read_back(state);
      ADD_FAILURE() << "expected a DataError of " << name;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
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
  state.model.optimizer_state = {1};
  EXPECT_THROW(read_back(state), DataError);
}

}  // namespace
}  // namespace ossau::test
