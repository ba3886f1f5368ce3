#include "train/solver_trainer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.hpp"
#include "core/floating_point.hpp"
#include "ossau/error.hpp"
#include "train/checkpoint_file.hpp"
#include "train/resume_contract.hpp"

// Trainings by solvers, from a file to a model.

namespace ossau::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using Solves = ossau::Method;

struct SolverVariant {
  std::string name;
  Solves method;
  Layout layout;

  std::string method_name() const {
    return method == Solves::kGramLbfgs ? "gram_lbfgs" : "newton_cg";
  }
};

std::vector<SolverVariant> variants() {
  std::vector<SolverVariant> all;
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    const std::string suffix = layout == Layout::kDense ? "_dense" : "_sparse";
    all.push_back({"gram_lbfgs" + suffix, Solves::kGramLbfgs, layout});
    all.push_back({"newton_cg" + suffix, Solves::kNewtonCg, layout});
  }
  return all;
}

class SolverTraining : public ::testing::TestWithParam<SolverVariant> {
 protected:
  SolverTraining() {
    config_ = small_config(write_csv(
        directory_, "train.csv",
        {.rows = 2000, .columns = 12, .density = 0.6, .weighted = true, .column_factor = 0.5}));
    config_.data.layout = GetParam().layout;
    config_.data.validation_fraction = 0.1;
    config_.model.l2 = 1e-3;
    config_.optimizer.method = GetParam().method;
  }

  const TemporaryDirectory directory_;
  Config config_;
};

TEST_P(SolverTraining, GivesTheSameModelOverThreadsRanksAndInstructionSets) {
  for (const bool plain : {true, false}) {
    if (!plain) {
      config_.data.weight = "weight";
      config_.data.standardize = AutoBool::kFalse;
      config_.model.class_weight.mode = ClassWeightMode::kBalanced;
    }
    config_.run = {};
    config_.run.threads = 1;
    const Outcome expected = outcome_of(config_, make_backend);
    EXPECT_EQ(outcome_of(config_, make_backend), expected) << "second run";
    for (const std::int64_t threads : {2, 3}) {
      config_.run.threads = threads;
      EXPECT_EQ(outcome_of(config_, make_backend), expected) << threads << " threads";
    }
    for (const std::int64_t ranks : {2, 3, 7}) {
      config_.run.ranks = ranks;
      config_.run.threads = 1 + ranks % 2;
      EXPECT_EQ(outcome_of(config_, make_backend), expected) << ranks << " ranks";
    }
    config_.run.ranks = 1;
    for (const CpuKernels& kernels : available_kernels()) {
      config_.run.simd = kernels.simd;
      EXPECT_EQ(outcome_of(config_, make_backend), expected) << kernels.name;
    }
  }
}

// A Gram matrix's entries are rounded by the mode that is set.
TEST_P(SolverTraining, GivesTheSameModelUnderAnyFloatingPointControlWord) {
#if defined(__x86_64__)
  const std::vector<std::uint64_t> controls = {0x9fc0, 0x5f80};  // FTZ and DAZ; round up
#else
  const std::vector<std::uint64_t> controls = {UINT64_C(1) << 24, UINT64_C(1) << 22};
#endif
  const std::string expected = model_hash(config_);
  const std::uint64_t saved = floating_point_control();
  for (const std::uint64_t control : controls) {
    for (const std::int64_t ranks : {1, 2}) {
      config_.run.ranks = ranks;
      config_.run.threads = 2;
      set_floating_point_control(control);
      const std::string hash = model_hash(config_);
      set_floating_point_control(saved);
      EXPECT_EQ(hash, expected) << std::hex << control << ", " << ranks << " ranks";
    }
  }
}

TEST_P(SolverTraining, SaysWhatItReachedAndHow) {
  RecordingObserver observer;
  const Summary summary = run_training(config_, observer).summary;
  const bool gram = GetParam().method == Solves::kGramLbfgs;
  EXPECT_EQ(summary.method, GetParam().method_name());
  EXPECT_EQ(summary.stop_reason, "gap");
  EXPECT_GT(summary.epochs, 0);
  EXPECT_EQ(summary.steps, summary.epochs);
  ASSERT_TRUE(summary.convergence);
  const Convergence& reached = *summary.convergence;
  EXPECT_TRUE(reached.certified);
  EXPECT_TRUE(reached.converged);
  EXPECT_LE(reached.gap, 1e-6);
  EXPECT_GT(reached.passes, summary.steps);
  EXPECT_EQ(reached.gram_passes > 0, gram);
  EXPECT_EQ(summary.speed.passes, static_cast<double>(reached.passes));

  ASSERT_EQ(observer.starts.size(), 1u);
  EXPECT_TRUE(observer.starts[0].solves);
  EXPECT_EQ(observer.starts[0].method, summary.method);
  ASSERT_EQ(static_cast<std::int64_t>(observer.epochs.size()), summary.steps);
  for (std::size_t k = 0; k < observer.epochs.size(); ++k) {
    const EpochReport& report = observer.epochs[k];
    EXPECT_EQ(report.epoch, static_cast<std::int64_t>(k) + 1);
    EXPECT_EQ(report.steps, report.epoch);
    ASSERT_TRUE(report.passes);
    ASSERT_TRUE(report.gap);
    EXPECT_GE(report.rows_per_second, 0);
    EXPECT_GT(*report.passes, k == 0 ? 1 : *observer.epochs[k - 1].passes);
  }
  EXPECT_EQ(*observer.epochs.back().gap, reached.gap);
  EXPECT_EQ(*observer.epochs.back().passes, reached.passes);
}

// Either solver, either layout, minibatch descent for long: one minimum.
TEST_P(SolverTraining, ReachesTheMinimumThatDescentCreepsUpTo) {
  config_.training.gap = 1e-8;
  const Summary solved = train_quietly(config_).summary;
  config_.optimizer.method = Solves::kSgd;
  config_.optimizer.restart = Restart::kAdaptive;
  config_.training.batch_size = TrainingConfig::kAllRows;
  config_.training.epochs = 400;
  const Summary descended = train_quietly(config_).summary;
  // Losses are sums of float32 ones, each good to 2^-23.
  EXPECT_LE(solved.train.objective, descended.train.objective + 2e-7);
  EXPECT_NEAR(solved.train.objective, descended.train.objective, 1e-4);
  ASSERT_TRUE(descended.convergence);
  EXPECT_LE((descended.train.objective - solved.train.objective) / solved.train.objective,
            descended.convergence->gap + 1e-6);
  EXPECT_EQ(descended.method, "sgd");
}

TEST_P(SolverTraining, GoesAsFarAsItIsTold) {
  std::vector<std::int64_t> passes;
  for (const double gap : {0.5, 1e-3, 1e-9}) {
    config_.training.gap = gap;
    const Summary summary = train_quietly(config_).summary;
    EXPECT_LE(summary.convergence->gap, gap);
    EXPECT_TRUE(summary.convergence->converged);
    passes.push_back(summary.convergence->passes);
  }
  EXPECT_LT(passes[0], passes[2]);
}

TEST_P(SolverTraining, StopsWhereItsPassesAreUsedUp) {
  config_.training.max_passes = 2;
  config_.training.gap = 1e-9;
  const Summary summary = train_quietly(config_).summary;
  EXPECT_EQ(summary.stop_reason, "passes");
  EXPECT_FALSE(summary.convergence->converged);
  EXPECT_GT(summary.convergence->gap, 1e-9);
  EXPECT_GE(summary.convergence->passes, 2);
  EXPECT_THAT(summary.warnings, Contains(AllOf(HasSubstr("training.max_passes: "),
                                               HasSubstr(" passes were too few: "),
                                               HasSubstr("(raise training.max_passes)"))));
}

TEST_P(SolverTraining, CallsAnEstimateAnEstimate) {
  config_.model.l2 = 0;
  const Summary summary = train_quietly(config_).summary;
  EXPECT_FALSE(summary.convergence->certified);
  EXPECT_EQ(summary.stop_reason, "gap");
  EXPECT_LE(summary.convergence->gap, 1e-6);
}

// Without a penalty nothing is proved, and before the first step nothing is estimated either.
TEST_P(SolverTraining, CallsNothingCertifiedBeforeItIs) {
  std::string text = "label,x\n";
  for (int i = 0; i < 1000; ++i) {
    text += (i == 100 || i == 700 ? "1," : "0,") + std::to_string(i * 7 % 13) + "\n";
  }
  config_.data.train = {directory_.write("rare.csv", text).string()};
  config_.data.validation_fraction = 0;
  const double l2 = *config_.model.l2;
  config_.model.l2 = 0;
  config_.training.max_passes = 1;
  const Summary early = train_quietly(config_).summary;
  EXPECT_FALSE(early.convergence->certified);
  EXPECT_FALSE(early.convergence->converged);
  EXPECT_EQ(early.convergence->gap, INFINITY);
  EXPECT_THAT(early.warnings, ElementsAre(HasSubstr("1 pass was too few: how far the objective is "
                                                    "above its minimum is not known")));
  config_.model.l2 = l2;
  config_.training.max_passes = 500;
  const Convergence late = *train_quietly(config_).summary.convergence;
  EXPECT_TRUE(late.certified);
  EXPECT_TRUE(late.converged);
}

// Float32 weights and scores allow no gap of 1e-30.
TEST_P(SolverTraining, SaysThatItStalledWithTheGapThatItHas) {
  config_.training.gap = 1e-30;
  const Summary summary = train_quietly(config_).summary;
  EXPECT_EQ(summary.stop_reason, "stalled");
  EXPECT_FALSE(summary.convergence->converged);
  EXPECT_LT(summary.convergence->gap, 1e-9);
  EXPECT_GT(summary.convergence->gap, 1e-30);
  EXPECT_THAT(summary.warnings,
              Contains(HasSubstr("found no way further down: the objective may")));
}

TEST_P(SolverTraining, KeepsAnAbsentInterceptAtZero) {
  config_.model.intercept = false;
  const TrainingResult result = train_quietly(config_);
  EXPECT_EQ(result.model.intercept, 0.0);
  EXPECT_LE(result.summary.convergence->gap, 1e-6);
}

// Those of rules alone, which a solver's model does not depend on.
TEST_P(SolverTraining, HasTheSameWeightsForAnyBatchSizeAndSeed) {
  const std::string expected = weight_hash(train_quietly(config_).model);
  config_.training.batch_size = 7;
  config_.training.epochs = 1;
  config_.training.seed = 5;
  EXPECT_EQ(weight_hash(train_quietly(config_).model), expected);
}

TEST_P(SolverTraining, DoesNotGoOnFromAnotherMethodsCheckpoint) {
  Config descent = config_;
  descent.optimizer.method = Solves::kSgd;
  const fs::path folder = directory_.path() / "checkpoints";
  outcome_of(with_checkpoints(descent, folder, 5), make_backend);
  const fs::path file = list_checkpoints(folder).front().file;
  config_.checkpoint.resume = file.string();
  try {
    train_quietly(config_);
    ADD_FAILURE() << "expected a ConfigError";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(file.string()),
                                    HasSubstr("optimizer.method was \"sgd\" and is \"" +
                                              GetParam().method_name() + "\" now"),
                                    HasSubstr("checkpoint.resume=never")));
  }
}

// A checksum says who wrote a file, not that it makes sense.
TEST_P(SolverTraining, DoesNotGoOnFromAStateThatItCannotHaveLeft) {
  const fs::path folder = directory_.path() / "checkpoints";
  const Summary summary = train_quietly(with_checkpoints(config_, folder, 1)).summary;
  const Safetensors file = load_safetensors(list_checkpoints(folder).front().file);
  const CheckpointIdentity identity{.exact = file.metadata("exact"),
                                    .config = file.metadata("config"),
                                    .data = file.metadata("data")};
  const std::vector<std::function<void(TrainingState&)>> changes = {
      [](TrainingState& state) {
        state.model.weights = state.solver->point;
        state.solver.reset();
      },
      [](TrainingState& state) { state.model.weights = state.solver->point; },
      [](TrainingState& state) { state.position.steps += 1; },
      [](TrainingState& state) { state.position.step = 0; },
      [](TrainingState& state) { state.position.epoch = -1; },
      [](TrainingState& state) { state.solver->reads = 0; },
      [](TrainingState& state) { state.solver->gram_passes = -1; },
      [](TrainingState& state) { state.reports.clear(); },
      [](TrainingState& state) { state.early_stopper.emplace(); }};
  config_.checkpoint.resume = (directory_.path() / "changed").string();
  save_checkpoint(config_.checkpoint.resume, state_of(file, summary.features), identity);
  EXPECT_EQ(train_quietly(config_).summary.resumed_from_step, summary.steps);
  for (const auto& change : changes) {
    TrainingState state = state_of(file, summary.features);
    change(state);
    save_checkpoint(config_.checkpoint.resume, state, identity);
    EXPECT_THAT([&] { train_quietly(config_); },
                ThrowsMessage<DataError>(HasSubstr("changed: holds no state of this training")));
  }
}

INSTANTIATE_TEST_SUITE_P(All, SolverTraining, ::testing::ValuesIn(variants()),
                         [](const auto& each) { return each.param.name; });

// 20,000 features: no Gram matrix is thinkable.
TEST(SolverTraining, TakesWideRowsOnAnyNumberOfRanks) {
  const TemporaryDirectory directory;
  Config config = wide_sparse_config(directory);
  config.optimizer.method = Solves::kAuto;
  config.training.epochs.reset();
  config.training.batch_size.reset();
  std::int64_t without_l1 = 0;
  for (const double l1 : {0.0, 0.01}) {
    config.model.l1 = l1;
    config.run = {};
    const Outcome expected = outcome_of(config, make_backend);
    const Summary summary = train_quietly(config).summary;
    EXPECT_EQ(summary.method, "newton_cg");
    EXPECT_TRUE(summary.convergence->converged);
    if (l1 == 0) without_l1 = summary.nonzero_weights;
    if (l1 > 0) {
      EXPECT_LT(summary.nonzero_weights, without_l1 / 2);
    }
    for (const std::int64_t ranks : {2, 3}) {
      config.run.ranks = ranks;
      config.run.threads = 4 - ranks;
      config.run.simd = ranks == 2 ? Simd::kScalar : Simd::kAuto;
      EXPECT_EQ(outcome_of(config, make_backend), expected) << ranks << " ranks, l1 " << l1;
    }
  }
}

}  // namespace
}  // namespace ossau::test
