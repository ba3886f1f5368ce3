#include "report/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "support/files.hpp"

namespace ossau::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The formulas are sums and quotients of a few doubles: computed here in another order, they differ
// by a few roundings.
constexpr double kRoundings = 1e-12;

void expect_near(double value, double expected) {
  EXPECT_NEAR(value, expected, expected * kRoundings);
}

// 10 us a message, 12 bytes in 0.1 us.
constexpr Network kNetwork = {.latency_s = 10e-6, .bytes_per_second = 120e6};

TEST(AllReduce, OfFewNumbersSwapsThemAlongEachAxis) {
  EXPECT_EQ(all_reduce_s(15, 1, kNetwork), 0);
  expect_near(all_reduce_s(15, 2, kNetwork), 11e-6);
  expect_near(all_reduce_s(15, 8, kNetwork), 33e-6);
  expect_near(all_reduce_s(15, 64, kNetwork), 66e-6);
}

TEST(AllReduce, OfManyNumbersHalvesThemAndDoublesThemAgain) {
  expect_near(all_reduce_s(1500, 2, kNetwork), 20e-6 + 100e-6);
  expect_near(all_reduce_s(1500, 8, kNetwork), 60e-6 + 175e-6);
}

TEST(AllReduce, AddsTwoMessagesForRanksBeyondAPowerOfTwo) {
  expect_near(all_reduce_s(15, 12, kNetwork), 33e-6 + 2 * 11e-6);
  expect_near(all_reduce_s(1500, 12, kNetwork), 235e-6 + 2 * 110e-6);
  expect_near(all_reduce_s(15, 3, kNetwork), 11e-6 + 2 * 11e-6);
}

TEST(AllReduce, ChangesItsWayWhereTheTransportDoes) {
  constexpr Network kOnlyLatency = {.latency_s = 1, .bytes_per_second = 1e30};
  expect_near(all_reduce_s(1024, 8, kOnlyLatency), 3);
  expect_near(all_reduce_s(1025, 8, kOnlyLatency), 6);
}

// 994 features make 1,000 sums with the note, 8,000 bytes: 100 us; a row of 3,976 bytes is read in
// 3.976 us.
PlanRequest sample() {
  return {.data = {.rows = 1'000'000, .features = 994, .entries_a_row = {}},
          .data_was_read = true,
          .batch = 400,
          .ranks = 4,
          .most_ranks = 64,
          .network = {.latency_s = 10e-6, .bytes_per_second = 80e6},
          .read_bytes_per_second = 1e9,
          .reading_was_measured = true};
}

TEST(Plan, AddsUpReadingUpdatingAndCommunicating) {
  const PlanStep step = make_plan(sample()).step;
  expect_near(step.read_s, 397.6e-6);
  expect_near(step.update_s, 43.78e-6);  // 995 weights of 44 bytes
  expect_near(step.communication_s, 220e-6);
  expect_near(step.step_s(), 661.38e-6);
  expect_near(step.communication_share(), 220 / 661.38);
}

TEST(Plan, FindsTheSmallestBatchThatKeepsCommunicationAtATenth) {
  const PlanRequest request = sample();
  // (9 * 220 - 43.78) / 3.976 rows on each of 4 ranks: 1,947.9.
  EXPECT_EQ(make_plan(request).step.batch_for_a_tenth, 1948);
  EXPECT_LE(plan_step(request, 4, 1948).communication_share(), 0.1);
  EXPECT_GT(plan_step(request, 4, 1947).communication_share(), 0.1);
}

TEST(Plan, NeedsNoBatchWhereThereIsNothingToWaitFor) {
  EXPECT_EQ(plan_step(sample(), 1, 1).batch_for_a_tenth, 1);
  EXPECT_EQ(plan_step(sample(), 1, 1).communication_s, 0);
}

TEST(Plan, CountsTheEntriesOfSparseRows) {
  PlanRequest request = sample();
  request.data.entries_a_row = 40;
  expect_near(make_plan(request).step.read_s, 100 * 320e-9);
}

TEST(Plan, KeepsTheRowsOfEachRankInItsTable) {
  const Plan plan = make_plan(sample());
  ASSERT_EQ(plan.table.size(), 5U);
  const std::vector<std::int64_t> ranks = {1, 8, 64, 512, 4096};
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    EXPECT_EQ(plan.table[i].ranks, ranks[i]);
    EXPECT_EQ(plan.table[i].batch, 100.0 * static_cast<double>(ranks[i]));
    EXPECT_EQ(plan.table[i].read_s, plan.step.read_s);
  }
  expect_near(plan.table[4].communication_s, 12 * 110e-6);
}

TEST(Plan, IsGoldenText) {
  EXPECT_EQ("\n" + plan_text(make_plan(sample())), R"(
Data           1,000,000 rows x 994 features, dense (read now)
Batch          400 rows
Reading        1 GB/s on each rank (measured here, on all processors)
Network        80 MB/s, 10 us a message
Ranks          4

Step           661 us
  rows         398 us     60.1 %
  update       43.8 us    6.62 %
  all-reduce   220 us     33.3 %
Batch for 10 % 1,948 rows or more keep communication at 10 %

With 100 rows a rank in each step:
     ranks         batch  step time  communication  batch for 10 %
         1           100     441 us            0 %             any
         8           800     771 us         42.8 %           5,888
        64         6,400     1.1 ms         59.9 %          94,909
       512        51,200    1.43 ms         69.2 %       1,141,727
     4,096       409,600    1.76 ms         74.9 %      12,193,450
)");
}

TEST(Plan, SaysWhatWillNotDo) {
  PlanRequest request = sample();
  request.data.rows = 1000;
  request.ranks = 128;
  const std::string text = plan_text(make_plan(request));
  EXPECT_THAT(text, HasSubstr("training.virtual_shards: 64 allows no more than 64 ranks"));
  EXPECT_THAT(text, HasSubstr("there are 1,000, and batch_size: all gives"));
  EXPECT_THAT(plan_text(make_plan(sample())), Not(HasSubstr("virtual_shards")));
}

TEST(Plan, GivesProgramsTheSame) {
  PlanRequest request = sample();
  request.reading_was_measured = false;
  const Plan plan = make_plan(request);
  const auto json = nlohmann::json::parse(plan_json(plan));
  EXPECT_EQ(json.at("step").at("step_s"), plan.step.step_s());
  EXPECT_EQ(json.at("step").at("batch_for_a_tenth"), 1948);
  EXPECT_EQ(json.at("same_rows_a_rank").size(), 5U);
  EXPECT_EQ(json.at("reading"), "told");
  EXPECT_EQ(json.at("data"), "read");
  EXPECT_TRUE(json.at("entries_a_row").is_null());
}

TEST(Plan, ReadsDataAsATrainingWould) {
  const TemporaryDirectory folder;
  std::string dense;
  std::string sparse;
  for (int i = 0; i < 20; ++i) {
    dense += std::to_string(i % 2) + " 1:" + std::to_string(i + 1) + " 2:3\n";
    sparse += std::to_string(i % 2) + " " + std::to_string(i + 1) +
              ":1 100:" + std::to_string(i + 1) + "\n";
  }
  Config config;
  config.data.train = {folder.write("dense.svm", dense).string()};
  config.data.validation_fraction = 0.25;
  PlanData data = read_plan_data(config);
  EXPECT_EQ(data.rows, 15);
  EXPECT_EQ(data.features, 2);
  EXPECT_FALSE(data.entries_a_row.has_value());
  config.data.train = {folder.write("sparse.svm", sparse).string()};
  data = read_plan_data(config);
  EXPECT_EQ(data.features, 100);
  EXPECT_EQ(data.entries_a_row, 2);
}

}  // namespace
}  // namespace ossau::test
