#include "config/read.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "config/messages.hpp"

namespace ossau::test {
namespace {

using ::testing::ElementsAre;

TEST(Read, LeavesWhatIsNotGivenAtItsDefault) {
  const Config config = parse("data:\nmodel: {l2: 0.5}\n").config;
  EXPECT_EQ(config.model.l2, 0.5);
  EXPECT_EQ(config.model.l1, Config{}.model.l1);
  EXPECT_EQ(config.training.epochs, Config{}.training.epochs);
}

TEST(Read, TakesEveryKindOfValue) {
  const Config config = parse(R"(
data: {validation: [a.csv, b.csv], format: csv, shuffle: False, shuffle_seed: 18446744073709551615,
       standardize: true, weight: w, csv: {delimiter: ";", header: false, label: 3}}
model: {class_weight: {-1: 2, "+1": 1e-1}, positive: 1.0, threshold: .25}
optimizer: {learning_rate: 1E-2, schedule: inverse_sqrt, decay: 2, momentum: +0.5, nesterov: true}
training: {batch_size: all, early_stopping: {metric: auc}}
checkpoint: {directory: c, every_steps: 100, every_minutes: 0.5, keep: 3, resume: c/step}
run: {threads: 2, device: cpu, directory: 2024}
)")
                            .config;
  EXPECT_THAT(config.data.validation, ElementsAre("a.csv", "b.csv"));
  EXPECT_EQ(config.data.format, Format::kCsv);
  EXPECT_FALSE(config.data.shuffle);
  EXPECT_EQ(config.data.shuffle_seed, 18446744073709551615U);
  EXPECT_EQ(config.data.standardize, AutoBool::kTrue);
  EXPECT_EQ(config.data.weight, "w");
  EXPECT_EQ(config.data.csv.delimiter, ';');
  EXPECT_EQ(config.data.csv.header, AutoBool::kFalse);
  EXPECT_EQ(config.data.csv.label, "3");
  EXPECT_EQ(config.model.class_weight.mode, ClassWeightMode::kByLabel);
  EXPECT_EQ(config.model.class_weight.by_label,
            (std::map<std::string, double>{{"-1", 2}, {"+1", 0.1}}));
  EXPECT_EQ(config.model.positive, "1.0");
  EXPECT_EQ(config.model.threshold, 0.25);
  EXPECT_EQ(config.optimizer.learning_rate, 0.01);
  EXPECT_EQ(config.optimizer.schedule, Schedule::kInverseSqrt);
  EXPECT_EQ(config.optimizer.momentum, 0.5);
  EXPECT_EQ(config.training.batch_size, TrainingConfig::kAllRows);
  ASSERT_TRUE(config.training.early_stopping);
  EXPECT_EQ(config.training.early_stopping->metric, Metric::kAuc);
  EXPECT_EQ(config.training.early_stopping->patience, EarlyStopping{}.patience);
  EXPECT_EQ(config.checkpoint.directory, "c");
  EXPECT_EQ(config.checkpoint.every_steps, 100);
  EXPECT_EQ(config.checkpoint.every_minutes, 0.5);
  EXPECT_EQ(config.checkpoint.keep, 3);
  EXPECT_EQ(config.checkpoint.resume, "c/step");
  EXPECT_EQ(config.run.threads, 2);
  EXPECT_EQ(config.run.directory, "2024");
}

TEST(Read, TakesTheWordsForAbsentValues) {
  const Config config = parse(R"(
data: {validation: null, weight: ~, csv: {delimiter: auto, label: null}}
model: {class_weight: balanced, positive: "null"}
optimizer: {learning_rate: auto}
training: {early_stopping: }
run: {threads: auto, directory: null}
)")
                            .config;
  EXPECT_FALSE(config.data.weight);
  EXPECT_FALSE(config.data.csv.delimiter);
  EXPECT_FALSE(config.data.csv.label);
  EXPECT_EQ(config.model.class_weight.mode, ClassWeightMode::kBalanced);
  EXPECT_EQ(config.model.positive, "null");  // quoted: a label of that name
  EXPECT_FALSE(config.optimizer.learning_rate);
  EXPECT_FALSE(config.training.early_stopping);
  EXPECT_FALSE(config.run.threads);
  EXPECT_FALSE(config.run.directory);
}

TEST(Read, TakesAllGpusOrANumberOfRanks) {
  EXPECT_EQ(parse("run: {ranks: all}").config.run.ranks, RunConfig::kAllGpus);
  EXPECT_EQ(parse("run: {ranks: 3}").config.run.ranks, 3);
  EXPECT_FALSE(parse("run: {ranks: auto}").config.run.ranks);
  EXPECT_FALSE(parse("run: {}").config.run.ranks);
}

TEST(Read, TakesBytesWithAndWithoutAUnit) {
  const auto bytes = [](const std::string& text) {
    return parse("run: {device_memory: " + text + "}").config.run.device_memory;
  };
  EXPECT_EQ(bytes("auto"), std::nullopt);
  EXPECT_EQ(bytes("1"), 1);
  EXPECT_EQ(bytes("8000000001"), 8000000001);
  EXPECT_EQ(bytes("512MB"), 512000000);
  EXPECT_EQ(bytes("8 GB"), 8000000000);
  EXPECT_EQ(bytes("1.5GiB"), 3 * (std::int64_t{1} << 29));
  EXPECT_EQ(bytes("2KiB"), 2048);
  EXPECT_EQ(bytes("1TB"), 1000000000000);
}

TEST(Read, TakesTabAsDelimiter) {
  EXPECT_EQ(parse("data: {csv: {delimiter: tab}}").config.data.csv.delimiter, '\t');
  EXPECT_EQ(parse("data: {csv: {delimiter: \"\\t\"}}").config.data.csv.delimiter, '\t');
  EXPECT_EQ(parse("data: {csv: {delimiter: '|'}}").config.data.csv.delimiter, '|');
}

struct Wrong {
  const char* yaml;
  const char* message;
};

class WrongValue : public ::testing::TestWithParam<Wrong> {};

TEST_P(WrongValue, IsReportedWithPlaceKeyValueAndRemedy) {
  EXPECT_EQ(message_of(GetParam().yaml), std::string("t.yaml:1: ") + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Flags, WrongValue,
    ::testing::Values(Wrong{"model: {intercept: yes}",
                            "model.intercept: 'yes' is neither true nor false (allowed: true or "
                            "false)"},
                      Wrong{"model: {intercept: \"true\"}",
                            "model.intercept: \"true\" is neither true nor false (allowed: true or "
                            "false)"},
                      Wrong{"model: {intercept: }",
                            "model.intercept: null is neither true nor false (allowed: true or "
                            "false)"}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, WrongValue,
    ::testing::Values(
        Wrong{"model: {l2: -1}", "model.l2: -1 is out of range (allowed: auto, or a number >= 0)"},
        Wrong{"model: {l2: .nan}",
              "model.l2: '.nan' is not a finite number (allowed: auto, or a number >= 0)"},
        Wrong{"model: {l2: nan}",
              "model.l2: 'nan' is not a finite number (allowed: auto, or a number >= 0)"},
        Wrong{"model: {l1: -.inf}",
              "model.l1: '-.inf' is not a finite number (allowed: a number >= 0)"},
        Wrong{"model: {l1: 1e999}",
              "model.l1: 1e999 is beyond double precision (allowed: a number >= 0)"},
        Wrong{"model: {l1: '1'}", "model.l1: \"1\" is not a number (allowed: a number >= 0)"},
        Wrong{"model: {l1: [1]}", "model.l1: a list is not a number (allowed: a number >= 0)"},
        Wrong{"model: {l1: {a: 1}}", "model.l1: a map is not a number (allowed: a number >= 0)"},
        Wrong{"model: {threshold: 1}",
              "model.threshold: 1 is out of range (allowed: a number > 0 and < 1)"},
        Wrong{"optimizer: {momentum: 1}",
              "optimizer.momentum: 1 is out of range (allowed: a number >= 0 and < 1)"},
        Wrong{"optimizer: {learning_rate: 0}",
              "optimizer.learning_rate: 0 is out of range (allowed: auto, or a number > 0)"},
        Wrong{"optimizer: {learning_rate: fast}",
              "optimizer.learning_rate: 'fast' is not a number (allowed: auto, or a number > 0)"},
        Wrong{"data: {validation_fraction: 1}",
              "data.validation_fraction: 1 is out of range (allowed: a number >= 0 and < 1)"},
        Wrong{"training: {tolerance: -1e-9}",
              "training.tolerance: -1e-9 is out of range (allowed: a number >= 0)"}));

INSTANTIATE_TEST_SUITE_P(
    WholeNumbers, WrongValue,
    ::testing::Values(
        Wrong{"training: {epochs: 0}",
              "training.epochs: 0 is out of range (allowed: auto, or a whole number >= 1 and <= "
              "1000000000)"},
        Wrong{"training: {epochs: 1.5}",
              "training.epochs: '1.5' is not a whole number (write all digits; allowed: auto, or a "
              "whole "
              "number >= 1 and <= 1000000000)"},
        Wrong{"training: {epochs: 99999999999999999999}",
              "training.epochs: 99999999999999999999 is out of range (allowed: auto, or a whole "
              "number >= 1 "
              "and <= 1000000000)"},
        Wrong{"training: {seed: -1}",
              "training.seed: -1 is out of range (allowed: a whole number >= 0)"},
        Wrong{"training: {batch_size: 0}",
              "training.batch_size: 0 is out of range (allowed: auto, or all, or a whole number >= "
              "1)"},
        Wrong{"training: {batch_size: full}",
              "training.batch_size: 'full' is not a whole number (allowed: auto, or all, or a "
              "whole number "
              ">= 1)"},
        Wrong{"training: {virtual_shards: 131072}",
              "training.virtual_shards: 131072 is out of range (allowed: a whole number >= 1 and "
              "<= 65536)"},
        Wrong{"run: {ranks: some}",
              "run.ranks: 'some' is not a whole number (allowed: auto, or all, or a whole number "
              ">= 1 and "
              "<= 65536)"},
        Wrong{"run: {device_memory: 8 gigabytes}",
              "run.device_memory: '8 gigabytes' is not a number of bytes (allowed: auto, or a "
              "number of bytes, as in 512MB, 8GB or 1.5GiB)"},
        Wrong{"run: {device_memory: nan}",
              "run.device_memory: 'nan' is not a number of bytes (allowed: auto, or a number of "
              "bytes, as in 512MB, 8GB or 1.5GiB)"},
        Wrong{"run: {device_memory: -1GB}",
              "run.device_memory: -1GB is out of range (allowed: auto, or a number of bytes, as in "
              "512MB, 8GB or 1.5GiB)"},
        Wrong{"run: {device_memory: 0}",
              "run.device_memory: 0 is out of range (allowed: auto, or a number of bytes, as in "
              "512MB, 8GB or 1.5GiB)"},
        Wrong{"run: {device_memory: 99999999TB}",
              "run.device_memory: 99999999TB is out of range (allowed: auto, or a number of bytes, "
              "as in 512MB, 8GB or 1.5GiB)"},
        Wrong{"run: {threads: 0}",
              "run.threads: 0 is out of range (allowed: auto, or a whole number >= 1 and <= "
              "4096)"}));

INSTANTIATE_TEST_SUITE_P(
    Words, WrongValue,
    ::testing::Values(
        Wrong{"optimizer: {schedule: cosin}",
              "optimizer.schedule: unknown value 'cosin' (did you mean cosine? allowed: constant | "
              "inverse | inverse_sqrt | cosine | step)"},
        Wrong{"data: {standardize: maybe}",
              "data.standardize: unknown value 'maybe' (allowed: auto | true | false)"},
        Wrong{"run: {device: [cpu]}",
              "run.device: unknown value a list (allowed: auto | cpu | cuda)"},
        Wrong{"model: {positive: []}",
              "model.positive: a list does not fit (allowed: null, or a "
              "label)"},
        Wrong{"model: {positive: ''}",
              "model.positive: empty text does not fit (allowed: null, or "
              "a label)"},
        Wrong{"data: {csv: {delimiter: ab}}",
              "data.csv.delimiter: 'ab' does not separate columns (allowed: auto, or tab, or one "
              "character that separates columns)"},
        Wrong{"data: {csv: {delimiter: 'x'}}",
              "data.csv.delimiter: \"x\" does not separate columns (allowed: auto, or tab, or one "
              "character that separates columns)"},
        Wrong{"data: {csv: {delimiter: null}}",
              "data.csv.delimiter: null does not separate columns (allowed: auto, or tab, or one "
              "character that separates columns)"},
        Wrong{"data: {validation: {a: b}}",
              "data.validation: a map does not fit (allowed: null, or a path, a glob, or a list of "
              "them)"},
        Wrong{"data: {validation: [a, null]}",
              "data.validation: null does not fit (allowed: a path or a glob)"},
        Wrong{"model: {class_weight: heavy}",
              "model.class_weight: 'heavy' does not fit (allowed: none | balanced | {label: number "
              "> 0, ...})"},
        Wrong{"model: {class_weight: {}}",
              "model.class_weight: a map does not fit (allowed: none | balanced | {label: number > "
              "0, ...})"},
        Wrong{"model: {class_weight: {a: 0}}",
              "model.class_weight.a: 0 is out of range (allowed: a number > 0)"}));

INSTANTIATE_TEST_SUITE_P(
    Keys, WrongValue,
    ::testing::Values(
        Wrong{"optimizer: {lerning_rate: 1}",
              "optimizer.lerning_rate: unknown key (did you mean learning_rate?)"},
        Wrong{"optimizer: {epochs: 1}",
              "optimizer.epochs: unknown key (did you mean training.epochs?)"},
        Wrong{"csv: {label: a}", "csv: unknown key (did you mean data.csv?)"},
        Wrong{"optimiser: {}", "optimiser: unknown key (did you mean optimizer?)"},
        Wrong{"checkpoint: {every_steps: 0}",
              "checkpoint.every_steps: 0 is out of range (allowed: null, or a whole number >= 1)"},
        Wrong{"checkpoint: {keep: 0}",
              "checkpoint.keep: 0 is out of range (allowed: a whole number >= 1)"},
        Wrong{"checkpoint: {every_minutes: -1}",
              "checkpoint.every_minutes: -1 is out of range (allowed: a number >= 0)"},
        Wrong{"communication: {frobnicate: 1}",
              "communication.frobnicate: unknown key (known here: timeout_s, launcher, interface)"},
        Wrong{"model: {<<: {l2: 1}}",
              "model.<<: unknown key (known here: intercept, l1, l2, class_weight, positive, "
              "threshold)"},
        Wrong{"model: 3", "model: '3' stands where keys are expected (write them below, indented)"},
        Wrong{"training: {early_stopping: true}",
              "training.early_stopping: 'true' stands where keys are expected (write them below, "
              "indented)"}));

TEST(Read, ListsAllProblemsInTheOrderOfTheFile) {
  const std::string yaml =
      "run: {rank: 2}\n"
      "model:\n"
      "  l2: -1\n"
      "  l2: 3\n"
      "data: {validation_fraction: 2}\n"
      "training: {early_stopping: {metric: auk}}\n";
  EXPECT_EQ(
      message_of(yaml, {"run.ranks=0"}),
      "t.yaml has 6 problems:\n"
      "  t.yaml:1: run.rank: unknown key (did you mean ranks?)\n"
      "  t.yaml:3: model.l2: -1 is out of range (allowed: auto, or a number >= 0)\n"
      "  t.yaml:4: model.l2: duplicate key (first at t.yaml:3; keep one)\n"
      "  t.yaml:5: data.validation_fraction: 2 is out of range (allowed: a number >= 0 and < "
      "1)\n"
      "  t.yaml:6: training.early_stopping.metric: unknown value 'auk' (did you mean auc? "
      "allowed: objective | log_loss | accuracy | auc)\n"
      "  override 'run.ranks=0': run.ranks: 0 is out of range (allowed: auto, or all, or a whole "
      "number >= 1 and <= 65536)");
}

TEST(Read, RemembersWhereKeysWereGiven) {
  Node root = map_node();
  Node model = map_node();
  model.entries.push_back({"l2", {"here", 7}, plain_node("1")});
  root.entries.push_back({"model", {"above", 6}, model});
  Config config;
  Problems problems;
  const Places places = read_fields(root, config, problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(places.at("model.l2").text, "here");
  EXPECT_EQ(places.count("model.l1"), 0U);
}

}  // namespace
}  // namespace ossau::test
