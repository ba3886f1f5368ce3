#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "comm/launch.hpp"
#include "ossau/error.hpp"
#include "train/model.hpp"
#include "train/training_samples.hpp"

// Ranks that read for themselves, as processes do, end in the bytes of one that reads everything.
// Here each is a thread.

namespace ossau::test {
namespace {

using ::testing::HasSubstr;

// The model's bytes at each rank.
std::vector<std::string> hashes_of_processes(Config config, std::int64_t processes) {
  config.run.ranks = processes;
  const TemporaryDirectory directory;
  std::vector<std::string> hashes(static_cast<std::size_t>(processes));
  run_ranks(config, [&](Communicator& communicator) {
    const std::int64_t rank = communicator.rank().rank;
    RecordingObserver observer;
    const TrainingResult result = train_process_rank(make_backend, config, communicator, observer);
    hashes[static_cast<std::size_t>(rank)] =
        save_model(result.model, directory.path() / fmt::format("{}.safetensors", rank));
    if (rank != 0) return;
    ASSERT_EQ(observer.starts.size(), 1u);
    EXPECT_EQ(observer.starts[0].ranks, processes);
    EXPECT_EQ(result.summary.rows, observer.starts[0].rows);
  });
  return hashes;
}

void expect_same_model(const Config& config,
                       const std::vector<std::int64_t>& numbers = {1, 2, 3, 5, 64}) {
  const std::string alone = model_hash(config);
  for (const std::int64_t processes : numbers) {
    EXPECT_THAT(hashes_of_processes(config, processes), ::testing::Each(alone))
        << processes << " processes";
  }
}

// Numbers, categories, sample weights, and line ends inside cells.
std::string csv_text(std::uint64_t seed, int rows) {
  std::string text = "note,x,label,weight,color\n";
  for (int i = 0; i < rows; ++i) {
    const auto at = [&](std::uint64_t k) {
      return uniform(seed, 8 * static_cast<std::uint64_t>(i) + k);
    };
    text += fmt::format("\"line\n{}\",{:.6},{},{:.3},c{}\n", static_cast<int>(3 * at(0)),
                        4 * at(1) - 2, at(2) + at(1) > 1 ? "yes" : "no", 2 * at(3),
                        static_cast<int>(25 * at(4) * at(5)));
  }
  return text;
}

Config csv_config(const TemporaryDirectory& directory, int rows) {
  Config config = small_config(directory.write("train.csv", csv_text(1, rows)));
  config.data.weight = "weight";
  config.model.l2 = 1e-3;
  return config;
}

std::string gzipped(const TemporaryDirectory& directory, const std::string& name,
                    const std::string& text) {
  std::string path = (directory.path() / name).string();
  const gzFile file = gzopen(path.c_str(), "wb");
  EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
            static_cast<int>(text.size()));
  EXPECT_EQ(gzclose(file), Z_OK);
  return path;
}

TEST(ProcessRanks, TrainTheSameModelOnCsv) {
  const TemporaryDirectory directory;
  Config config = csv_config(directory, 1500);
  expect_same_model(config);
  config.data.shuffle = false;
  config.model.class_weight.mode = ClassWeightMode::kBalanced;
  expect_same_model(config);
  config.data.validation_fraction = 0.15;
  expect_same_model(config);
  config.data.shuffle = true;
  config.data.shuffle_seed = 5;
  expect_same_model(config);
}

TEST(ProcessRanks, TrainTheSameModelOnLibsvm) {
  const TemporaryDirectory directory;
  Config config = small_config(write_wide_libsvm(directory, "train.svm", 1200, 3000));
  config.data.validation_fraction = 0.1;
  expect_same_model(config);
  config.data.shuffle = false;
  config.data.layout = Layout::kSparse;
  expect_same_model(config);
}

TEST(ProcessRanks, TrainTheSameModelOnSeveralFilesWithValidationFiles) {
  const TemporaryDirectory directory;
  Config config = csv_config(directory, 700);
  config.data.train.push_back(directory.write("empty.csv", "\n").string());
  config.data.train.push_back(gzipped(directory, "more.csv.gz", csv_text(2, 400)));
  config.data.validation = {directory.write("v.csv", csv_text(3, 300)).string(),
                            gzipped(directory, "w.csv.gz", csv_text(4, 50))};
  config.training.early_stopping = EarlyStopping{};
  expect_same_model(config);
}

TEST(ProcessRanks, WorkWithoutRowsOrWithOneClassOrWithoutEntries) {
  const TemporaryDirectory directory;
  expect_same_model(csv_config(directory, 20));
  // Two tiles in the order of the file: one class each, the first without any entry.
  std::string text;
  for (int i = 0; i < 128; ++i) text += i < 64 ? "0\n" : fmt::format("1 {}:2\n", 1 + i % 3);
  Config config = small_config(directory.write("blocks.svm", text));
  config.data.shuffle = false;
  expect_same_model(config);
  config.training.virtual_shards = 2;
  expect_same_model(config, {1, 2});
}

std::string error_of_processes(Config config, std::int64_t processes) {
  config.run.ranks = processes;
  config.communication.timeout_s = 20;
  try {
    run_ranks(config, [&](Communicator& communicator) {
      RecordingObserver observer;
      train_process_rank(make_backend, config, communicator, observer);
    });
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string error_alone(const Config& config) {
  try {
    train_quietly(config);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ProcessRanks, FailAsOneProcessDoes) {
  const TemporaryDirectory directory;
  std::string bad_row = csv_text(1, 500);
  bad_row.insert(bad_row.rfind("\"line"), "\"x\",oops,yes,1,c1\n");
  std::string one_class = "y,x\n";
  std::string weightless = "y,weight,x\n";
  for (int i = 0; i < 300; ++i) {
    one_class += "1,2\n";
    weightless += fmt::format("{},0,2\n", i % 2);
  }
  Config config = small_config(directory.path());
  for (const std::string& text : {bad_row, one_class, weightless, std::string("y,x\n")}) {
    config.data.train = {directory.write("bad.csv", text).string()};
    config.data.weight.reset();
    if (text.find("weight") != std::string::npos) config.data.weight = "weight";
    const std::string expected = error_alone(config);
    EXPECT_NE(expected, "no error");
    for (const std::int64_t processes : {2, 3, 64}) {
      EXPECT_EQ(error_of_processes(config, processes), expected) << processes << " processes";
    }
  }
}

TEST(ProcessRanks, AreAtMostAsManyAsTheShards) {
  const TemporaryDirectory directory;
  Config config = csv_config(directory, 200);
  config.training.virtual_shards = 2;
  EXPECT_THAT(error_of_processes(config, 3), HasSubstr("3 processes share 2 virtual shards"));
}

}  // namespace
}  // namespace ossau::test
