#include "config/check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "config/messages.hpp"
#include "ossau/error.hpp"

namespace ossau::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Check, FindsNothingInTheDefaults) {
  Config config;
  config.data.train = {"a.csv"};
  EXPECT_THAT(check_config(config), IsEmpty());
  validate_config(config);
}

struct Case {
  const char* yaml;
  const char* message;  // after the place
};

class Disagreement : public ::testing::TestWithParam<Case> {};

TEST_P(Disagreement, IsAnErrorAtItsKey) {
  EXPECT_EQ(message_of(GetParam().yaml), std::string("t.yaml:1: ") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Errors, Disagreement,
    ::testing::Values(
        Case{"training: {virtual_shards: 48}",
             "training.virtual_shards: 48 is not a power of two (use 32 or 64)"},
        Case{"run: {ranks: 65}",
             "run.ranks: 65 ranks, but training.virtual_shards is 64 (use at most 64 ranks, or "
             "raise training.virtual_shards, which changes the batch order)"},
        Case{"training: {early_stopping: {patience: 2}}",
             "training.early_stopping: needs rows to measure on (set data.validation or "
             "data.validation_fraction)"},
        Case{"data: {validation: v.csv, validation_fraction: 0.1}",
             "data.validation_fraction: both validation rows and a share to hold out are given "
             "(keep one)"},
        Case{"optimizer: {nesterov: true}",
             "optimizer.nesterov: needs optimizer.momentum above 0 (0.9 is usual)"},
        Case{"data: {weight: w, format: libsvm}",
             "data.weight: a LIBSVM file has no columns with names (remove it, or use CSV)"}));

class Warning : public ::testing::TestWithParam<Case> {};

TEST_P(Warning, IsNoError) {
  EXPECT_THAT(parse(GetParam().yaml).warnings,
              ElementsAre(std::string("t.yaml:1: ") + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Warnings, Warning,
    ::testing::Values(
        Case{"{optimizer: {restart: adaptive, momentum: 0.5}, training: {batch_size: all}}",
             "optimizer.momentum: ignored: restart adaptive uses Nesterov's own growing momentum"},
        Case{"{optimizer: {restart: adaptive, nesterov: true}, training: {batch_size: all}}",
             "optimizer.nesterov: ignored: restart adaptive uses Nesterov's own growing momentum"},
        Case{"optimizer: {restart: adaptive}",
             "optimizer.restart: adaptive is made for full batches and may not converge on noisy "
             "gradients (set training.batch_size: all)"},
        Case{"optimizer: {decay: 2}", "optimizer.decay: ignored: optimizer.schedule is constant"},
        Case{"optimizer: {final_fraction: 0.1, schedule: step}",
             "optimizer.final_fraction: ignored: optimizer.schedule is step"},
        Case{"optimizer: {step_epochs: 3, schedule: cosine}",
             "optimizer.step_epochs: ignored: optimizer.schedule is cosine"},
        Case{"optimizer: {step_factor: 0.5, schedule: inverse}",
             "optimizer.step_factor: ignored: optimizer.schedule is inverse"},
        Case{"optimizer: {pseudo_huber_delta: 0.5}",
             "optimizer.pseudo_huber_delta: ignored: optimizer.l1_method is proximal"},
        Case{"optimizer: {method: adam, momentum: 0.9}",
             "optimizer.momentum: ignored: optimizer.method is adam"},
        Case{"optimizer: {method: adagrad, nesterov: true}",
             "optimizer.nesterov: ignored: optimizer.method is adagrad"},
        Case{"optimizer: {method: adam, restart: adaptive}",
             "optimizer.restart: ignored: optimizer.method is adam"},
        Case{"optimizer: {adam: {beta1: 0.8}}",
             "optimizer.adam.beta1: ignored: optimizer.method is auto"},
        Case{"optimizer: {method: adagrad, adam: {epsilon: 1}}",
             "optimizer.adam.epsilon: ignored: optimizer.method is adagrad"},
        Case{"run: {device: cpu, device_memory: 1GB}",
             "run.device_memory: ignored: run.device is cpu"},
        Case{"data: {format: libsvm, csv: {label: last}}",
             "data.csv: ignored: data.format is libsvm"},
        Case{"data: {format: csv, zero_based: true}",
             "data.zero_based: ignored: data.format is csv"}));

TEST(Check, IsSilentWhereParametersFitTheirSchedule) {
  for (const char* optimizer :
       {"{schedule: inverse, decay: 2}", "{schedule: inverse_sqrt, decay: 2}",
        "{schedule: cosine, final_fraction: 0.1}",
        "{schedule: step, step_epochs: 2, step_factor: 0.5}",
        "{l1_method: pseudo_huber, pseudo_huber_delta: 2}", "{momentum: 0.9, nesterov: true}",
        "{method: adam, adam: {beta1: 0.8, epsilon: 0.1}}",
        "{method: adagrad, adagrad: {epsilon: 0.1}}"}) {
    EXPECT_THAT(parse(std::string("optimizer: ") + optimizer).warnings, IsEmpty()) << optimizer;
  }
}

TEST(Check, DoesNotJudgeValuesThatWereMisread) {
  // Momentum is wrong, not absent: asking for more of it would mislead.
  EXPECT_EQ(message_of("optimizer: {nesterov: true, momentum: 9}"),
            "t.yaml:1: optimizer.momentum: 9 is out of range (allowed: a number >= 0 and < 1)");
}

TEST(Check, NamesTheOverrideThatDisagrees) {
  EXPECT_THAT(message_of("training: {virtual_shards: 4}", {"run.ranks=7"}),
              HasSubstr("override 'run.ranks=7': run.ranks: 7 ranks, but training.virtual_shards "
                        "is 4 (use at most 4 ranks"));
}

std::string message_of_change(const std::function<void(Config&)>& change) {
  Config config;
  config.data.train = {"a.csv"};
  change(config);
  try {
    validate_config(config);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(ValidateConfig, ChecksBoundsOfConfigurationsMadeInCode) {
  EXPECT_EQ(message_of_change([](Config& config) { config.model.l2 = -1; }),
            "configuration: model.l2: -1 is out of range (allowed: auto, or a number >= 0)");
  EXPECT_THAT(message_of_change([](Config& config) { config.model.l1 = std::nan(""); }),
              HasSubstr("model.l1: '.nan' is not a finite number"));
  EXPECT_THAT(message_of_change([](Config& config) {
                config.optimizer.learning_rate = std::numeric_limits<double>::infinity();
              }),
              HasSubstr("optimizer.learning_rate: '.inf' is not a finite number"));
  EXPECT_THAT(message_of_change([](Config& config) {
                config.training.virtual_shards = std::numeric_limits<std::int64_t>::min();
              }),
              HasSubstr("training.virtual_shards"));
}

TEST(ValidateConfig, ChecksAgreementOfConfigurationsMadeInCode) {
  EXPECT_THAT(message_of_change([](Config& config) { config.data.train.clear(); }),
              HasSubstr("configuration: data.train: required"));
  EXPECT_THAT(message_of_change([](Config& config) {
                config.run.ranks = 100;
                config.optimizer.nesterov = true;
              }),
              HasSubstr("the configuration has 2 problems:\n"));
}

TEST(ValidateConfig, KnowsNoDirectoryToBeMissing) {
  EXPECT_EQ(message_of_change([](Config& config) { config.run.directory.reset(); }), "");
}

TEST(CheckProcesses, RefusesMoreThanThereAreShards) {
  Config config;
  config.training.virtual_shards = 4;
  check_processes(config, 4);
  try {
    check_processes(config, 5);
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "training.virtual_shards: 5 processes share 4 virtual shards, and each needs one "
                 "(start at most 4 processes, or raise training.virtual_shards, which changes the "
                 "batch order)");
  }
}

}  // namespace
}  // namespace ossau::test
