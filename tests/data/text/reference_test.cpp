#include <algorithm>

#include "support/log_capture.hpp"
#include "text_testing.hpp"

namespace ossau::test {
namespace {
using ::testing::ElementsAre;
using ::testing::EndsWith;

struct Shape {
  std::int64_t rows;
  std::int64_t features;
  std::int64_t positives;
  friend bool operator==(const Shape&, const Shape&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    return out << shape.rows << " x " << shape.features << ", " << shape.positives << " positive";
  }
};

Shape shape_of(const Table& table, const Schema& schema) {
  return {table.rows(), static_cast<std::int64_t>(schema.feature_names.size()),
          std::count(table.label.begin(), table.label.end(), std::uint8_t{1})};
}

// The configuration that reads `train` and, where named, `validation`; absent without the data.
std::optional<DataConfig> reference(const std::string& train, const std::string& validation = "") {
  DataConfig config;
  const auto train_file = reference_data(train);
  if (!train_file) return std::nullopt;
  config.train = {train_file->string()};
  if (!validation.empty()) {
    const auto validation_file = reference_data(validation);
    if (!validation_file) return std::nullopt;
    config.validation = {validation_file->string()};
  }
  return config;
}

constexpr const char* kNoData = "the reference data is not on this machine";

void expect_shapes(const DataConfig& config, Shape train, Shape validation) {
  const Dataset data = read_dataset(config, std::nullopt);
  EXPECT_EQ(shape_of(data.train, data.schema), train);
  ASSERT_TRUE(data.validation);
  EXPECT_EQ(shape_of(*data.validation, data.schema), validation);
}

TEST(ReferenceData, A9aMatchesLabelsOfTwoKinds) {
  const auto config = reference("a9a/a9a", "a9a/a9a.t");
  if (!config) GTEST_SKIP() << kNoData;
  expect_shapes(*config, {32561, 123, 7841}, {16281, 123, 3846});
}

TEST(ReferenceData, AgaricusIsLibsvmByContent) {
  const auto config = reference("agaricus/agaricus.txt.train", "agaricus/agaricus.txt.test");
  if (!config) GTEST_SKIP() << kNoData;
  expect_shapes(*config, {6513, 126, 3140}, {1611, 126, 776});
}

TEST(ReferenceData, HiggsIsTabSeparatedByContent) {
  const auto config = reference("higgs_sample/binary.train", "higgs_sample/binary.test");
  if (!config) GTEST_SKIP() << kNoData;
  expect_shapes(*config, {7000, 28, 3716}, {500, 28, 272});
}

TEST(ReferenceData, FertilityIsCompressed) {
  const auto config = reference("fertility/fertility_numeric.csv.gz");
  if (!config) GTEST_SKIP() << kNoData;
  const Dataset data = read_dataset(*config, std::nullopt);
  EXPECT_EQ(shape_of(data.train, data.schema), (Shape{254654, 7, 96912}));
  EXPECT_THAT(data.schema.feature_names, ElementsAre("gender1_female", "gender2_female", "age",
                                                     "afam", "hispanic", "other", "work"));
}

TEST(ReferenceData, AdultHasCategoriesAndTheLabelLast) {
  auto config = reference("adult_csv/adult-train.csv");
  if (!config) GTEST_SKIP() << kNoData;
  config->csv.label = "last";
  const Dataset data = read_dataset(*config, std::nullopt);
  EXPECT_EQ(shape_of(data.train, data.schema), (Shape{32561, 108, 7841}));
  EXPECT_EQ(data.schema.columns.size(), 14U);
  EXPECT_THAT(data.schema.classes, ElementsAre("<=50K", ">50K"));
}

TEST(ReferenceData, AdultTestLabelsWithADotDoNotMatch) {
  auto config = reference("adult_csv/adult-train.csv", "adult_csv/adult-test.csv");
  if (!config) GTEST_SKIP() << kNoData;
  config->csv.label = "last";
  EXPECT_THAT(data_error([&] { read_dataset(*config, std::nullopt); }),
              EndsWith("adult-test.csv:1:114: no training row has the label \"<=50K.\" (theirs are "
                       "\"<=50K\" and \">50K\")"));
}

TEST(ReferenceData, TelcoChurnHasEmptyNumericCells) {
  auto config = reference("telco_churn/Telco-Customer-Churn.csv");
  if (!config) GTEST_SKIP() << kNoData;
  config->csv.label = "last";
  EXPECT_THAT(data_error([&] { read_dataset(*config, std::nullopt); }),
              EndsWith("Telco-Customer-Churn.csv:490:122: TotalCharges: the cell is empty in a "
                       "column of numbers (fill it in, or remove the row)"));
}

TEST(ReferenceData, WorkshopHasWindowsLineEnds) {
  const auto config = reference("workshop/data_training.csv", "workshop/data_test.csv");
  if (!config) GTEST_SKIP() << kNoData;
  const Dataset data = read_dataset(*config, std::nullopt);
  EXPECT_EQ(data.train.rows(), 1000);
  EXPECT_EQ(data.validation->rows(), 300);
  EXPECT_THAT(data.schema.feature_names, ElementsAre("c2", "c3"));
}

TEST(ReferenceData, ChurnHasCategoriesUnderAHeader) {
  const auto config = reference("churn/mlc_churn.csv");
  if (!config) GTEST_SKIP() << kNoData;
  const Dataset data = read_dataset(*config, std::nullopt);
  EXPECT_EQ(data.schema.label_column, "label");
  EXPECT_EQ(data.schema.columns.size(), 19U);
  // 15 numbers, 51 states, 3 area codes, 2 plans of 2 values.
  EXPECT_EQ(shape_of(data.train, data.schema), (Shape{5000, 73, 707}));
}

}  // namespace
}  // namespace ossau::test
