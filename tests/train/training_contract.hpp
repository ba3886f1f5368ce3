#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/training_samples.hpp"

namespace ossau::test {

// Trainings with every method on both layouts, for backends that must give what the CPU gives.

/// A way to train.
struct Method {
  std::string name;
  std::function<void(Config&)> change;
};

inline std::vector<Method> methods() {
  return {
      {"plain", [](Config&) {}},
      {"momentum",
       [](Config& c) {
         c.optimizer.momentum = 0.9;
         c.optimizer.schedule = Schedule::kCosine;
       }},
      {"nesterov",
       [](Config& c) {
         c.optimizer.momentum = 0.9;
         c.optimizer.nesterov = true;
         c.model.l1 = 0.01;
       }},
      {"momentum_l1",
       [](Config& c) {
         c.optimizer.momentum = 0.9;
         c.model.l1 = 0.01;
       }},
      {"l1", [](Config& c) { c.model.l1 = 0.01; }},
      {"pseudo_huber",
       [](Config& c) {
         c.model.l1 = 0.01;
         c.optimizer.l1_method = L1Method::kPseudoHuber;
       }},
      {"adaptive_full_batch",
       [](Config& c) {
         c.optimizer.restart = Restart::kAdaptive;
         c.training.batch_size = TrainingConfig::kAllRows;
         c.training.epochs = 15;
       }},
      {"adaptive_minibatch", [](Config& c) { c.optimizer.restart = Restart::kAdaptive; }},
      {"folding",
       [](Config& c) {
         c.model.l2 = 3;
         c.optimizer.learning_rate = 0.2;
         c.training.epochs = 4;
       }},
      // A scale below 0.
      {"rate_beyond_l2",
       [](Config& c) {
         c.model.l2 = 1;
         c.optimizer.learning_rate = 1.5;
       }},
      {"no_intercept", [](Config& c) { c.model.intercept = false; }},
      {"adagrad", [](Config& c) { c.optimizer.method = ossau::Method::kAdagrad; }},
      {"adagrad_without_penalties",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kAdagrad;
         c.model.l2 = 0;
       }},
      {"adam", [](Config& c) { c.optimizer.method = ossau::Method::kAdam; }},
      {"adam_l1",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kAdam;
         c.optimizer.schedule = Schedule::kInverseSqrt;
         c.model.l1 = 0.01;
       }},
      {"tolerance", [](Config& c) { c.training.tolerance = 0.02; }},
      {"early_stopping",
       [](Config& c) {
         c.training.epochs = 6;
         c.training.early_stopping = EarlyStopping{.metric = Metric::kAuc, .patience = 1};
       }},
      {"single_rows",
       [](Config& c) {
         c.training.batch_size = 1;
         c.training.epochs = 1;
         c.data.validation_fraction = 0.7;
       }},
      {"raw_weighted",
       [](Config& c) {
         c.data.standardize = AutoBool::kFalse;
         c.data.weight = "weight";
         c.model.class_weight.mode = ClassWeightMode::kBalanced;
       }},
      {"newton_cg", [](Config& c) { c.optimizer.method = ossau::Method::kNewtonCg; }},
      {"newton_cg_raw_weighted",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kNewtonCg;
         c.data.standardize = AutoBool::kFalse;
         c.data.weight = "weight";
         c.model.class_weight.mode = ClassWeightMode::kBalanced;
       }},
      {"newton_cg_without_l2",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kNewtonCg;
         c.model.l2 = 0;
       }},
      {"newton_cg_l1",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kNewtonCg;
         c.model.l1 = 0.01;
       }},
      {"gram_lbfgs", [](Config& c) { c.optimizer.method = ossau::Method::kGramLbfgs; }},
      {"gram_lbfgs_raw_weighted",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kGramLbfgs;
         c.training.gap = 1e-9;
         c.data.standardize = AutoBool::kFalse;
         c.data.weight = "weight";
         c.model.class_weight.mode = ClassWeightMode::kBalanced;
       }},
      {"gram_lbfgs_without_l2_and_intercept",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kGramLbfgs;
         c.model.l2 = 0;
         c.model.intercept = false;
       }},
      {"proximal_newton",
       [](Config& c) {
         c.optimizer.method = ossau::Method::kProximalNewton;
         c.model.l1 = 0.01;
       }},
  };
}

/// One method on one layout.
struct MethodSample {
  std::string name;
  Layout layout;
  Method method;
};

inline std::vector<MethodSample> method_samples(const std::vector<Method>& methods) {
  std::vector<MethodSample> all;
  for (const Layout layout : {Layout::kDense, Layout::kSparse}) {
    for (const Method& method : methods) {
      all.push_back(
          {(layout == Layout::kDense ? "dense_" : "sparse_") + method.name, layout, method});
    }
  }
  return all;
}

inline std::vector<MethodSample> method_samples() { return method_samples(methods()); }

/// What a training leaves, times apart.
struct Outcome {
  std::string model;
  std::vector<double> metrics;
  std::vector<double> epochs;

  bool operator==(const Outcome&) const = default;
};

inline std::vector<double> numbers(const Metrics& m) {
  return {m.objective,
          m.log_loss,
          m.accuracy,
          m.auc,
          m.gradient_max,
          static_cast<double>(m.true_positives),
          static_cast<double>(m.false_positives),
          static_cast<double>(m.true_negatives),
          static_cast<double>(m.false_negatives)};
}

inline Outcome outcome_of(const Config& config, const BackendMaker& make) {
  RecordingObserver observer;
  const TrainingResult result = run_training_on(make, config, observer);
  const TemporaryDirectory directory;
  Outcome outcome;
  outcome.model = save_model(result.model, directory.path() / "model.safetensors");
  outcome.metrics = numbers(result.summary.train);
  if (result.summary.validation) {
    for (const double x : numbers(*result.summary.validation)) outcome.metrics.push_back(x);
  }
  outcome.metrics.push_back(static_cast<double>(result.summary.steps));
  outcome.metrics.push_back(static_cast<double>(result.summary.epochs));
  outcome.metrics.push_back(result.summary.speed.passes);
  if (const auto& reached = result.summary.convergence) {
    outcome.metrics.push_back(reached->gap);
    outcome.metrics.push_back(static_cast<double>(reached->passes));
    outcome.metrics.push_back(static_cast<double>(reached->gram_passes));
  }
  for (const EpochReport& report : observer.epochs) {
    outcome.epochs.push_back(report.log_loss);
    outcome.epochs.push_back(report.learning_rate);
    outcome.epochs.push_back(report.gradient_max.value_or(-1));
    outcome.epochs.push_back(static_cast<double>(report.epoch));
    outcome.epochs.push_back(static_cast<double>(report.steps));
    outcome.epochs.push_back(static_cast<double>(report.passes.value_or(-1)));
    outcome.epochs.push_back(report.gap.value_or(-1));
    if (!report.validation) continue;
    for (const double x : numbers(*report.validation)) outcome.epochs.push_back(x);
  }
  return outcome;
}

/// A short training by the method of `sample` on rows of every kind that it can meet.
inline Config config_of(const MethodSample& sample, const TemporaryDirectory& directory) {
  Config config = small_config(write_csv(
      directory, "train.csv",
      {.rows = 700, .columns = 12, .density = 0.6, .weighted = true, .column_factor = 0.5}));
  config.data.layout = sample.layout;
  config.data.validation_fraction = 0.1;
  config.model.l2 = 1e-3;
  sample.method.change(config);
  return config;
}

/// So wide that steps list the features they touch, and that a graph of many steps is run often.
inline Config wide_sparse_config(const TemporaryDirectory& directory) {
  Config config = small_config(write_wide_libsvm(directory, "wide.svm", 1500, 20000));
  config.data.layout = Layout::kSparse;
  config.data.validation_fraction = 0.1;
  config.model.l2 = 1e-3;
  config.training.batch_size = 10;
  config.training.epochs = 2;
  return config;
}

/// Minibatches of dense rows, one configuration for each way that they can be shared out.
inline std::vector<Config> small_step_configs(const TemporaryDirectory& directory) {
  std::vector<Config> configs;
  for (const std::int64_t columns : {1, 31, 32, 33, 200, 256}) {
    Config config = small_config(write_csv(directory, "steps" + std::to_string(columns) + ".csv",
                                           {.rows = 1300, .columns = columns, .density = 0.9}));
    config.data.layout = Layout::kDense;
    config.training.epochs = 2;
    config.model.l1 = columns % 2 == 0 ? 1e-3 : 0;
    for (const std::int64_t batch : {10, 64, 300, 1250}) {
      config.training.batch_size = batch;
      config.optimizer.momentum = batch % 3 == 0 ? 0.9 : batch % 4 == 0 ? 0.5 : 0;
      config.optimizer.nesterov = batch % 3 == 0;
      configs.push_back(config);
      if (config.optimizer.momentum > 0) continue;
      config.optimizer.method = batch == 10 ? ossau::Method::kAdam : ossau::Method::kAdagrad;
      configs.push_back(config);
      config.optimizer.method = ossau::Method::kSgd;
    }
  }
  return configs;
}

inline Config dense_config(const TemporaryDirectory& directory, std::int64_t columns) {
  Config config = small_config(
      write_csv(directory, "train.csv", {.rows = 200, .columns = columns, .density = 0.9}));
  config.data.layout = Layout::kDense;
  config.training.epochs = 1;
  return config;
}

}  // namespace ossau::test
