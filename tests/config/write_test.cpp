#include "config/write.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/messages.hpp"

namespace ossau::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Texts that a YAML reader could take for something else, or lose.
const std::vector<std::string> kAwkwardTexts = {"1",
                                                "1.0",
                                                "+1",
                                                "-1",
                                                "1e3",
                                                ".5",
                                                "0x1F",
                                                "yes",
                                                "No",
                                                "null",
                                                "NULL",
                                                "~",
                                                "true",
                                                "False",
                                                ".nan",
                                                "nan",
                                                ".inf",
                                                "a: b",
                                                "a #b",
                                                "#b",
                                                " a ",
                                                "a\nb",
                                                "a\n",
                                                "a\tb",
                                                "a\"b",
                                                "a'b",
                                                "a\\b",
                                                "*x",
                                                "&x",
                                                "!x",
                                                "%x",
                                                "@x",
                                                "`x",
                                                "[x",
                                                "{x",
                                                "x]",
                                                "- x",
                                                "-",
                                                "?",
                                                ":",
                                                "|",
                                                ">",
                                                ",",
                                                "---",
                                                "...",
                                                "=",
                                                "<<",
                                                "auto",
                                                "first",
                                                "\xC3\xA9t\xC3\xA9",
                                                "\xF0\x9F\x8F\x94",
                                                "\x01",
                                                "\x7F",
                                                "\xC2\x85",
                                                "\xE2\x80\xA8",
                                                "\xEF\xBB\xBFx",
                                                "C:\\data\\x.csv",
                                                "data/*.csv",
                                                "./x",
                                                "../x",
                                                "a b"};

Config unusual_config() {
  Config config;
  config.data.train = {"a.csv", "b: c.csv"};
  config.data.validation = {"v.csv"};
  config.data.standardize = AutoBool::kFalse;
  config.data.shuffle_seed = std::numeric_limits<std::uint64_t>::max();
  config.data.csv = {.delimiter = '\t', .header = AutoBool::kTrue, .label = "7"};
  config.data.weight = "the weight";
  config.model.l1 = 0.1;
  config.model.l2 = 5e-324;
  config.model.class_weight.mode = ClassWeightMode::kByLabel;
  config.model.class_weight.by_label = {{"yes", 1.0 / 3}, {"-1", 1e300}, {"a: b", 2}};
  config.model.positive = "yes";
  config.optimizer.learning_rate = 0.1 + 0.2;
  config.optimizer.schedule = Schedule::kStep;
  config.optimizer.momentum = 0.9;
  config.optimizer.nesterov = true;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.gap = 1e-9;
  config.training.max_passes = 77;
  config.training.early_stopping = EarlyStopping{Metric::kAuc, 3, 1e-4};
  config.run.directory = "runs/1";
  config.run.threads = 3;
  config.run.ranks = RunConfig::kAllGpus;
  config.run.device_memory = std::int64_t{3} << 29;
  config.run.simd = Simd::kScalar;
  return config;
}

Config of_method(Method method) {
  Config config;
  config.data.train = {"a.csv"};
  config.optimizer.method = method;
  config.optimizer.adam.beta1 = 0.5;
  return config;
}

Config reread(const Config& config) {
  return parse_config(effective_config_yaml(config), "effective.yaml").config;
}

// Equality of every field: the table's own view of both.
std::string all_fields(const Config& config) { return effective_config_yaml(config); }

TEST(EffectiveConfig, ReadsBackTheSame) {
  Config config = unusual_config();
  const Config same = reread(config);
  EXPECT_EQ(all_fields(same), all_fields(config));
  EXPECT_EQ(same.model.l2, config.model.l2);
  EXPECT_EQ(same.optimizer.learning_rate, config.optimizer.learning_rate);
  EXPECT_EQ(same.model.class_weight.by_label, config.model.class_weight.by_label);
  EXPECT_EQ(same.data.train, config.data.train);
  EXPECT_EQ(same.data.shuffle_seed, config.data.shuffle_seed);
  EXPECT_EQ(same.data.csv.delimiter, '\t');
  EXPECT_EQ(same.training.batch_size, TrainingConfig::kAllRows);
  EXPECT_EQ(same.training.early_stopping->min_delta, 1e-4);
  EXPECT_EQ(same.run.ranks, RunConfig::kAllGpus);
  EXPECT_EQ(same.run.device_memory, config.run.device_memory);
}

TEST(EffectiveConfig, QuotesTextsThatCouldBeMisread) {
  for (const std::string& text : kAwkwardTexts) {
    Config config;
    config.data.train = {text};
    config.data.validation = {"x", text};
    config.model.positive = text;
    config.model.class_weight.mode = ClassWeightMode::kByLabel;
    config.model.class_weight.by_label = {{text, 2}};
    const Config same = reread(config);
    EXPECT_EQ(same.data.train, config.data.train) << text;
    EXPECT_EQ(same.data.validation, config.data.validation) << text;
    EXPECT_EQ(same.model.positive, config.model.positive) << text;
    EXPECT_EQ(same.model.class_weight.by_label, config.model.class_weight.by_label) << text;
  }
}

TEST(EffectiveConfig, WritesOrdinaryValuesPlainly) {
  const std::string yaml = effective_config_yaml(unusual_config());
  EXPECT_THAT(yaml, HasSubstr("  train:\n    - a.csv\n    - \"b: c.csv\"\n"));
  EXPECT_THAT(yaml, HasSubstr("  validation: v.csv\n"));
  EXPECT_THAT(yaml, HasSubstr("    delimiter: tab\n"));
  EXPECT_THAT(yaml, HasSubstr("  l1: 0.1\n"));
  EXPECT_THAT(yaml, HasSubstr("  class_weight:\n    \"-1\": 1e+300\n"));
  EXPECT_THAT(yaml, HasSubstr("  learning_rate: 0.30000000000000004\n"));
  EXPECT_THAT(yaml, HasSubstr("  batch_size: all\n"));
  EXPECT_THAT(yaml, HasSubstr("  early_stopping:\n    metric: auc\n"));
  EXPECT_THAT(yaml, HasSubstr("  ranks: all\n"));
  EXPECT_THAT(yaml, HasSubstr("  device_memory: 1536MiB\n"));
}

TEST(EffectiveConfig, WritesBytesInTheirLargestUnit) {
  const auto written = [](std::int64_t bytes) {
    Config config;
    config.run.device_memory = bytes;
    const std::string yaml = effective_config_yaml(config);
    const std::string key = "device_memory: ";
    const std::size_t from = yaml.find(key) + key.size();
    return yaml.substr(from, yaml.find('\n', from) - from);
  };
  EXPECT_EQ(written(8000000000), "8GB");
  EXPECT_EQ(written(std::int64_t{8} << 30), "8GiB");
  EXPECT_EQ(written(1000), "1KB");
  EXPECT_EQ(written(8000000001), "8000000001");
}

std::string with_train(std::string yaml) {
  const std::string placeholder = "train: null";
  return yaml.replace(yaml.find(placeholder), placeholder.size(), "train: a.csv");
}

TEST(DefaultConfig, ReadsBackAsTheDefaults) {
  Config defaults;
  defaults.data.train = {"a.csv"};
  const LoadedConfig loaded = parse_config(with_train(default_config_yaml()), "d.yaml");
  EXPECT_EQ(all_fields(loaded.config), all_fields(defaults));
  EXPECT_TRUE(loaded.warnings.empty());
}

TEST(DefaultConfig, MarksWhatIsRequired) {
  EXPECT_THAT(default_config_yaml(), HasSubstr("# REQUIRED: the rows to learn from."));
  EXPECT_THROW(parse_config(default_config_yaml(), "d.yaml"), ConfigError);
}

TEST(DefaultConfig, CommentsEveryKeyAndStaysNarrow) {
  std::istringstream lines(default_config_yaml());
  std::string before;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100U) << line;
    EXPECT_THAT(line, Not(::testing::MatchesRegex(".*[ ]$"))) << line;
    const bool is_key =
        line.find(':') != std::string::npos && line.find_first_not_of(' ') != line.find('#');
    if (is_key) {
      EXPECT_THAT(before, HasSubstr("#")) << line;
    }
    before = line;
  }
}

TEST(DefaultConfig, ShowsHowToTurnEarlyStoppingOn) {
  std::string yaml = with_train(default_config_yaml());
  yaml.replace(yaml.find("validation_fraction: 0"), 22, "validation_fraction: 0.5");
  yaml.replace(yaml.find("early_stopping: null"), 20, "early_stopping:");
  for (const char* key : {"metric: ", "patience: ", "min_delta: "}) {
    const std::size_t at = yaml.find(std::string("# ") + key);
    ASSERT_NE(at, std::string::npos) << key;
    yaml.replace(at, 2, "  ");
  }
  const Config config = parse_config(yaml, "d.yaml").config;
  ASSERT_TRUE(config.training.early_stopping);
  EXPECT_EQ(config.training.early_stopping->patience, EarlyStopping{}.patience);
}

TEST(ModelConfig, LeavesOutTheSectionsOfOtherMethods) {
  for (const Method method :
       {Method::kSgd, Method::kAdagrad, Method::kAdam, Method::kGramLbfgs, Method::kNewtonCg}) {
    const nlohmann::json json = model_config_json(of_method(method));
    const nlohmann::json& optimizer = json.at("optimizer");
    EXPECT_EQ(optimizer.contains("adagrad"), method == Method::kAdagrad);
    EXPECT_EQ(optimizer.contains("adam"), method == Method::kAdam);
    const Config same = config_from_model_json(json);
    EXPECT_EQ(same.optimizer.method, method);
    EXPECT_EQ(same.optimizer.adam.beta1, method == Method::kAdam ? 0.5 : 0.9);
  }
}

TEST(ModelRecord, HoldsWhatDeterminesTheModelAndNothingElse) {
  const nlohmann::json json = model_config_json(unusual_config());
  std::vector<std::string> sections;
  for (const auto& [key, value] : json.items()) sections.push_back(key);
  EXPECT_THAT(sections, ::testing::ElementsAre("data", "model", "optimizer", "training"));
  EXPECT_FALSE(json["data"].contains("train"));
  EXPECT_FALSE(json["data"].contains("validation"));
  EXPECT_EQ(json["model"]["positive"], "yes");
  EXPECT_EQ(json["model"]["l1"], 0.1);
  EXPECT_EQ(json["data"]["csv"]["label"], "7");
  EXPECT_EQ(json["data"]["standardize"], false);
  EXPECT_EQ(json["data"]["shuffle_seed"], std::numeric_limits<std::uint64_t>::max());
}

TEST(ModelRecord, DoesNotDependOnPathsOrPlace) {
  Config here = unusual_config();
  Config there = here;
  there.data.train = {"elsewhere.csv"};
  there.data.validation.clear();
  there.run = RunConfig{};
  there.checkpoint.resume = "never";
  there.communication.timeout_s = 1;
  EXPECT_EQ(model_config_json(here).dump(), model_config_json(there).dump());
}

TEST(ModelRecord, ReadsBackTheSame) {
  const Config config = unusual_config();
  const std::string text = model_config_json(config).dump();
  const Config same = config_from_model_json(nlohmann::json::parse(text));
  EXPECT_EQ(model_config_json(same).dump(), text);
  EXPECT_EQ(same.model.l2, config.model.l2);
  EXPECT_EQ(same.model.positive, config.model.positive);
  EXPECT_EQ(same.data.csv.delimiter, config.data.csv.delimiter);
  for (const std::string& label : kAwkwardTexts) {
    Config awkward;
    awkward.model.positive = label;
    const auto json = nlohmann::json::parse(model_config_json(awkward).dump());
    EXPECT_EQ(config_from_model_json(json).model.positive, label);
  }
}

TEST(ModelRecord, IsRefusedWhenDamaged) {
  const auto message = [](const char* text) -> std::string {
    try {
      config_from_model_json(nlohmann::json::parse(text));
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("[]"), HasSubstr("model's configuration: a list stands where"));
  EXPECT_THAT(message(R"({"model": {"l3": 1}})"), HasSubstr("model.l3: unknown key"));
  EXPECT_THAT(message(R"({"model": {"l2": "big"}})"), HasSubstr("model.l2: \"big\" is not a"));
}

}  // namespace
}  // namespace ossau::test
