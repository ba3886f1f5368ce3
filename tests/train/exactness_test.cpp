#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/cpu_backend.hpp"
#include "comm/single.hpp"
#include "core/floating_point.hpp"
#include "train/training_samples.hpp"

// The promise: the same bits on any number of threads and ranks and on any instruction set.

namespace ossau::test {
namespace {

struct Variant {
  std::string name;
  Layout layout = Layout::kDense;
  std::int64_t batch_size = 900;  // 15 tiles: enough for three threads
  bool standardize = true;
  bool weighted = false;
};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    for (const std::int64_t batch :
         {std::int64_t{900}, std::int64_t{1}, TrainingConfig::kAllRows}) {
      for (const bool standardize : {true, false}) {
        for (const bool weighted : {true, false}) {
          all.push_back({(layout == Layout::kDense ? "dense_" : "sparse_") +
                             (batch == 0 ? std::string("all") : std::to_string(batch)) +
                             (standardize ? "_standardized" : "_raw") +
                             (weighted ? "_weighted" : "_unweighted"),
                         layout, batch, standardize, weighted});
        }
      }
    }
  }
  return all;
}

Config config_of(const Variant& variant, const TemporaryDirectory& directory) {
  Config config = small_config(write_csv(
      directory, "train.csv",
      {.rows = 2000, .columns = 12, .density = 0.6, .weighted = true, .column_factor = 0.5}));
  if (variant.weighted) {
    config.data.weight = "weight";
    config.model.class_weight.mode = ClassWeightMode::kBalanced;
  }
  config.data.layout = variant.layout;
  config.data.standardize = variant.standardize ? AutoBool::kTrue : AutoBool::kFalse;
  config.data.validation_fraction = 0.1;
  config.model.l2 = 1e-3;
  config.training.batch_size = variant.batch_size;
  config.training.epochs = variant.batch_size == TrainingConfig::kAllRows ? 20
                           : variant.batch_size == 1                      ? 1
                                                                          : 2;
  return config;
}

class Exactness : public ::testing::TestWithParam<Variant> {};

TEST_P(Exactness, HoldsOverThreadsRanksAndInstructionSets) {
  const TemporaryDirectory directory;
  Config config = config_of(GetParam(), directory);
  const std::string expected = model_hash(config);
  EXPECT_EQ(model_hash(config), expected) << "second run";
  for (const std::int64_t threads : {2, 3}) {
    config.run.threads = threads;
    EXPECT_EQ(model_hash(config), expected) << threads << " threads";
  }
  for (const std::int64_t ranks : {2, 3, 4, 7}) {
    config.run.ranks = ranks;
    config.run.threads = 1 + ranks % 2;
    EXPECT_EQ(model_hash(config), expected) << ranks << " ranks";
  }
  config.run.ranks = 1;
  for (const CpuKernels& kernels : available_kernels()) {
    config.run.simd = kernels.simd;
    EXPECT_EQ(model_hash(config), expected) << kernels.name;
  }
}

TEST_P(Exactness, HoldsUnderAnyFloatingPointControlWord) {
#if defined(__x86_64__)
  const std::vector<std::uint64_t> controls = {0x9fc0, 0x5f80};  // FTZ and DAZ; round up
#else
  const std::vector<std::uint64_t> controls = {UINT64_C(1) << 24, UINT64_C(1) << 22};
#endif
  const TemporaryDirectory directory;
  Config config = config_of(GetParam(), directory);
  const std::string expected = model_hash(config);
  const std::uint64_t saved = floating_point_control();
  for (const std::uint64_t control : controls) {
    for (const std::int64_t ranks : {1, 2}) {
      config.run.ranks = ranks;
      config.run.threads = 2;
      set_floating_point_control(control);
      const std::string hash = model_hash(config);
      const std::uint64_t after = floating_point_control();
      set_floating_point_control(saved);
      EXPECT_EQ(hash, expected) << std::hex << control << ", " << ranks << " ranks";
      // What the caller had is given back; the low bits of MXCSR are flags of past exceptions.
      EXPECT_EQ(after & ~std::uint64_t{0x3f}, control & ~std::uint64_t{0x3f});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Exactness, ::testing::ValuesIn(variants()),
                         [](const auto& each) { return each.param.name; });

// a falls below 1/256 every few steps.
void fold_often(Config& config) {
  config.model.l2 = 3;
  config.optimizer.learning_rate = 0.2;
  config.training.epochs = 5;
}

TEST(Exactness, HoldsForEveryMethod) {
  const TemporaryDirectory directory;
  const auto check = [&](const std::string& name, auto&& change) {
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
      Config config = config_of({.name = name, .layout = layout}, directory);
      change(config);
      const std::string expected = model_hash(config);
      config.run.ranks = 3;
      config.run.threads = 2;
      config.run.simd = Simd::kScalar;
      EXPECT_EQ(model_hash(config), expected) << name;
    }
  };
  check("momentum", [](Config& c) { c.optimizer.momentum = 0.9; });
  check("nesterov", [](Config& c) {
    c.optimizer.momentum = 0.9;
    c.optimizer.nesterov = true;
  });
  check("adaptive", [](Config& c) {
    c.optimizer.restart = Restart::kAdaptive;
    c.training.batch_size = TrainingConfig::kAllRows;
    c.training.epochs = 60;
  });
  check("l1", [](Config& c) { c.model.l1 = 0.01; });
  check("pseudo_huber", [](Config& c) {
    c.model.l1 = 0.01;
    c.optimizer.l1_method = L1Method::kPseudoHuber;
  });
  check("cosine", [](Config& c) {
    c.optimizer.schedule = Schedule::kCosine;
    c.optimizer.warmup_steps = 3;
  });
  check("folding", fold_often);
  check("adagrad", [](Config& c) { c.optimizer.method = Method::kAdagrad; });
  check("adagrad_l1", [](Config& c) {
    c.optimizer.method = Method::kAdagrad;
    c.model.l1 = 0.01;
  });
  check("adam", [](Config& c) { c.optimizer.method = Method::kAdam; });
  check("adam_l1", [](Config& c) {
    c.optimizer.method = Method::kAdam;
    c.model.l1 = 0.01;
  });
  check("no_intercept", [](Config& c) { c.model.intercept = false; });
}

// So wide that one rank alone lists the features that a batch touches, while several add up all of
// them, and that three threads have rows enough to share.
TEST(Exactness, HoldsForWideSparseRowsListedOrNot) {
  const TemporaryDirectory directory;
  Config config = small_config(write_wide_libsvm(directory, "wide.svm", 5000, 60000));
  config.data.layout = Layout::kSparse;
  config.data.validation_fraction = 0.1;
  config.training.batch_size = 33 * 64 - 1;
  config.training.epochs = 4;
  config.training.tolerance = 1e-9;  // a pass over all rows after each epoch
  for (const std::string method : {"scaled", "folding", "adagrad"}) {
    config.run = {};
    config.run.threads = 1;
    config.model.l2 = method == "adagrad" ? 0 : 1e-3;
    if (method == "folding") fold_often(config);
    if (method == "adagrad") {
      config.optimizer = {};
      config.optimizer.method = Method::kAdagrad;
    }
    const std::string expected = model_hash(config);
    for (const CpuKernels& kernels : available_kernels()) {
      config.run.simd = kernels.simd;
      for (const std::int64_t ranks : {1, 2, 3}) {
        for (const std::int64_t threads : {1, 2, 3}) {
          config.run.ranks = ranks;
          config.run.threads = threads;
          EXPECT_EQ(model_hash(config), expected) << method << ", " << kernels.name << ", " << ranks
                                                  << " ranks, " << threads << " threads";
        }
      }
    }
  }
}

TEST(Seeds, MoveMinibatchesButNotFullBatches) {
  const TemporaryDirectory directory;
  Config config = config_of({.name = "seeds"}, directory);
  const std::string minibatch = weight_hash(train_quietly(config).model);
  config.training.batch_size = TrainingConfig::kAllRows;
  const std::string full_batch = weight_hash(train_quietly(config).model);
  config.training.seed = 1;
  EXPECT_EQ(weight_hash(train_quietly(config).model), full_batch);
  config.training.batch_size = 900;
  EXPECT_NE(weight_hash(train_quietly(config).model), minibatch);
}

// Sparse descent keeps w = a v; dense descent does not: folding a into v must not show.
TEST(Layouts, AgreeWhereTheScaleIsFoldedAndWhereAStepClearsAllWeights) {
  const TemporaryDirectory directory;
  Config config = config_of({.name = "folding", .standardize = false}, directory);
  fold_often(config);
  for (const double rate_times_l2 : {0.6, 1.0, 1.5}) {
    config.optimizer.learning_rate = rate_times_l2 / *config.model.l2;
    config.data.layout = Layout::kDense;
    const Model dense = train_quietly(config).model;
    config.data.layout = Layout::kSparse;
    const Model sparse = train_quietly(config).model;
    for (std::size_t j = 0; j < dense.weights.size(); ++j) {
      EXPECT_NEAR(dense.weights[j], sparse.weights[j], 1e-6) << rate_times_l2;
    }
  }
}

// Standardised, a column's units do not matter, from 1e-24 to 1e24 side by side.
TEST(Exactness, HoldsForColumnsOfUnequalSizesSideBySide) {
  const TemporaryDirectory directory;
  Config config = small_config(write_csv(directory, "plain.csv", {.rows = 500, .columns = 3}));
  const TrainingResult plain = train_quietly(config);
  for (const double factor : {1e-6, 1e6, 1e-12, 1e12}) {
    config.data.train = {
        write_csv(directory, "scaled.csv", {.rows = 500, .columns = 3, .column_factor = factor})
            .string()};
    const TrainingResult scaled = train_quietly(config);
    for (std::size_t j = 0; j < 3; ++j) {
      // The factor is decimal, so features differ in their last bits.
      EXPECT_NEAR(scaled.model.weights[j], plain.model.weights[j], 1e-6) << factor;
    }
    for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
      Config raw = config;
      raw.data.standardize = AutoBool::kFalse;
      raw.data.layout = layout;
      const std::string expected = model_hash(raw);
      raw.run.ranks = 2;
      raw.run.simd = Simd::kScalar;
      EXPECT_EQ(model_hash(raw), expected) << factor;
    }
  }
}

TEST(Layouts, DifferInBitsAndAgreeToAMillionth) {
  const TemporaryDirectory directory;
  Config config = config_of({.name = "layouts", .standardize = false}, directory);
  const TrainingResult dense = train_quietly(config);
  config.data.layout = Layout::kSparse;
  const TrainingResult sparse = train_quietly(config);
  EXPECT_EQ(dense.summary.layout, "dense");
  EXPECT_EQ(sparse.summary.layout, "sparse");
  EXPECT_NE(weight_hash(dense.model), weight_hash(sparse.model));
  for (std::size_t j = 0; j < dense.model.weights.size(); ++j) {
    EXPECT_NEAR(dense.model.weights[j], sparse.model.weights[j],
                1e-6 * (1 + std::fabs(dense.model.weights[j])));
  }
  EXPECT_NEAR(dense.summary.train.objective, sparse.summary.train.objective, 1e-6);
}

}  // namespace
}  // namespace ossau::test
