#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/program.hpp"

namespace ossau::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kNetwork = " --bandwidth 50GB/s --latency 20us ";
const std::string kTold = " --rows 1000 --features 20 --read-bandwidth 10GB/s ";

TEST_F(Program, PlansWithoutTheDataWhereItIsTold) {
  folder_.write("t.yaml", "data: {train: nowhere.csv}\ntraining: {batch_size: all}\n");
  const Result text = run("doctor --plan t.yaml --ranks 64" + kNetwork + kTold);
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("1,000 rows x 20 features, dense (as told)"),
                    HasSubstr("Batch          1,000 rows"), HasSubstr("20 us a message")));
  EXPECT_THAT(text.err, IsEmpty());

  const Result json =
      run("doctor --json --plan t.yaml training.batch_size=64 --ranks 8" + kNetwork + kTold);
  EXPECT_EQ(json.exit_code, 0) << json.err;
  const auto parsed = nlohmann::json::parse(json.out);
  EXPECT_EQ(parsed.at("step").at("batch"), 64);
  EXPECT_EQ(parsed.at("step").at("ranks"), 8);
}

TEST_F(Program, PlansFromTheDataAndThisMachine) {
  folder_.write("t.csv", "a,y\n1,0\n2,1\n3,0\n4,1\n");
  folder_.write("t.yaml", "data: {train: t.csv}\n");
  const Result result = run("doctor --plan t.yaml --ranks 2" + kNetwork);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("4 rows x 1 feature, dense (read now)"),
                                HasSubstr("measured here"), HasSubstr("Batch          4 rows")));
}

TEST_F(Program, RefusesPlansThatSayTooLittleOrTooMuch) {
  folder_.write("t.yaml", "data: {train: nowhere.csv}\n");
  const std::string plan = "doctor --plan t.yaml --ranks 4";
  for (const auto& [arguments, reason] : std::vector<std::pair<std::string, std::string>>{
           {plan, "--bandwidth"},
           {plan + " --bandwidth 1GB/s", "--latency"},
           {"doctor --plan t.yaml" + kNetwork, "--ranks"},
           {"doctor --ranks 4", "--plan"},
           {"doctor model.l2=1", "--plan"},
           {plan + kNetwork + "--rows 5", "--features"},
           {plan + kNetwork + "--features 5", "--rows"},
           {plan + kNetwork + kTold + "--entries 0", "--entries"},
           {"doctor --plan t.yaml --ranks 0" + kNetwork, "--ranks"},
           {plan + " --bandwidth 50 --latency 20us", "--bandwidth: \"50\" has no unit"},
           {plan + " --bandwidth 50GB/s --latency 20", "--latency: \"20\" has no unit"},
           {plan + kNetwork + "--read-bandwidth fast", "--read-bandwidth: \"fast\""},
           {"doctor --plan no.yaml --ranks 4" + kNetwork, "no.yaml"},
           {plan + " training.batch=3" + kNetwork, "training.batch: unknown key"}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments;
    EXPECT_THAT(result.err, HasSubstr(reason)) << arguments;
    EXPECT_THAT(result.out, IsEmpty()) << arguments;
  }
  const Result no_data = run(plan + kNetwork);
  EXPECT_EQ(no_data.exit_code, 3) << no_data.err;
}

}  // namespace
}  // namespace ossau::test
