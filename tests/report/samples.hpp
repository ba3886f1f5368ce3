#pragma once

#include <limits>

#include "ossau/summary.hpp"
#include "train/model.hpp"
#include "train/observer.hpp"

namespace ossau::test {

inline Metrics sample_metrics() {
  return {.objective = 0.3125,
          .log_loss = 0.25,
          .accuracy = 0.861234,
          .auc = 0.9,
          .gradient_max = 1.25e-5,
          .true_positives = 136,
          .false_positives = 80,
          .true_negatives = 2200,
          .false_negatives = 250};
}

inline Metrics one_class_metrics() {
  Metrics metrics = sample_metrics();
  metrics.auc = std::numeric_limits<double>::quiet_NaN();
  metrics.true_positives = metrics.false_negatives = 0;
  return metrics;
}

inline Summary sample_summary() {
  Summary summary;
  summary.rows = 2666;
  summary.features = 4;
  summary.validation_rows = 667;
  summary.layout = "dense";
  summary.method = "sgd";
  summary.stop_reason = "epochs";
  summary.epochs = 20;
  summary.steps = 60;
  summary.nonzero_weights = 3;
  summary.learning_rate = 0.0625;
  summary.train = sample_metrics();
  summary.validation = one_class_metrics();
  summary.time = {.read_s = 0.125, .train_s = 75, .evaluate_s = 0.5, .total_s = 75.625};
  summary.speed = {.entries = 10'664,
                   .passes = 20,
                   .bare_pass_s = 1.5,
                   .floor_s = 30,
                   .ceiling_share = 0.4,
                   .communication_s = 7.5};
  summary.model_sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  summary.run_directory = "runs/quickstart";
  return summary;
}

inline Summary solved_summary() {
  Summary summary = sample_summary();
  summary.method = "gram_lbfgs";
  summary.stop_reason = "gap";
  summary.epochs = summary.steps = 9;
  summary.learning_rate = 0;
  summary.convergence = Convergence{
      .gap = 3.125e-7, .certified = true, .converged = true, .passes = 1010, .gram_passes = 2};
  return summary;
}

inline Model sample_model() {
  Model model;
  model.weights = {0.5, -2.25, 0.0, 1.5};
  model.intercept = 0.25;
  model.shift = {0, 0, 0, 0};
  model.scale = {1, 1, 1, 1};
  model.exponent = {0, 0, 0, 0};
  model.schema.feature_names = {"account length", "international plan=no, as the bill says",
                                "eve calls", "âge"};
  model.schema.classes = {"False", "True"};
  return model;
}

inline TrainingStart sample_start() {
  return {.rows = 32561,
          .validation_rows = 0,
          .features = 123,
          .layout = "sparse",
          .device = "cpu",
          .simd = "avx512",
          .ranks = 1,
          .threads = 2,
          .epochs = 20,
          .steps_per_epoch = 32,
          .batch_size = 1024,
          .learning_rate = 0.034567};
}

inline TrainingStart solver_start() {
  TrainingStart start = sample_start();
  start.method = "newton_cg";
  start.solves = true;
  start.epochs = 500;
  start.steps_per_epoch = 1;
  return start;
}

inline EpochReport sample_epoch(std::int64_t epoch) {
  EpochReport report;
  report.epoch = epoch;
  report.steps = 32 * epoch;
  report.learning_rate = 0.1;
  report.log_loss = 0.5;
  report.elapsed_s = 0.25 * static_cast<double>(epoch);
  report.rows_per_second = 1234567;
  return report;
}

inline EpochReport sample_iteration(std::int64_t iteration) {
  EpochReport report = sample_epoch(iteration);
  report.steps = iteration;
  report.learning_rate = 0;
  report.gradient_max = 0.125;
  report.passes = 400 * iteration;
  report.gap = 0x1p-10;
  return report;
}

}  // namespace ossau::test
