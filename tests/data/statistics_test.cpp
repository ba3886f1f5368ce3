#include "data/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>

#include "ossau/error.hpp"
#include "support/tables.hpp"

namespace ossau {
namespace {

struct Measured {
  ColumnRanges ranges;
  ColumnMoments moments;
};

Measured measure(const Table& table, std::int64_t columns) {
  ColumnRanges ranges(columns);
  for (std::int64_t i = 0; i < table.rows(); ++i) ranges.add(table, i);
  ranges.include_zeros(table.rows());
  ColumnMoments moments(ranges, test::make_schema(columns));
  for (std::int64_t i = 0; i < table.rows(); ++i) moments.add(table, i);
  moments.include_zeros(ranges, table.rows());
  return {ranges, moments};
}

ColumnTransform transform_of(const Table& table, std::int64_t columns, bool scale, bool centre) {
  const Measured measured = measure(table, columns);
  return make_transform(measured.ranges, scale ? &measured.moments : nullptr, table.rows(), centre,
                        test::make_schema(columns));
}

TEST(Statistics, GiveMeanAndStandardDeviation) {
  for (const double density : {1.0, 0.3}) {
    const Table table = test::make_table({.rows = 1000, .columns = 4, .density = density});
    const ColumnTransform transform = transform_of(table, 4, true, true);
    for (std::int64_t j = 0; j < 4; ++j) {
      double mean = 0;
      double square = 0;
      for (std::int64_t i = 0; i < 1000; ++i) mean += test::entry(table, i, j) / 1000;
      for (std::int64_t i = 0; i < 1000; ++i) {
        square += std::pow(test::entry(table, i, j) - mean, 2) / 1000;
      }
      // 1,000 roundings of the reference itself.
      EXPECT_NEAR(transform.shift[static_cast<std::size_t>(j)], mean, 1e-14);
      EXPECT_NEAR(transform.scale[static_cast<std::size_t>(j)], 1 / std::sqrt(square), 1e-12);
    }
  }
}

TEST(Statistics, DoNotDependOnTheOrderOfRows) {
  const Table table = test::make_table({.rows = 777, .columns = 3, .density = 0.6});
  ColumnRanges ranges(3);
  for (std::int64_t i = table.rows(); i-- > 0;) ranges.add(table, i);
  ranges.include_zeros(table.rows());
  ColumnMoments backwards(ranges, test::make_schema(3));
  for (std::int64_t i = table.rows(); i-- > 0;) backwards.add(table, i);
  backwards.include_zeros(ranges, table.rows());
  const Measured forwards = measure(table, 3);
  EXPECT_EQ(forwards.ranges.min, ranges.min);
  EXPECT_EQ(forwards.ranges.max, ranges.max);
  EXPECT_TRUE(forwards.moments.sum == backwards.sum);
  EXPECT_TRUE(forwards.moments.square == backwards.square);
}

TEST(Statistics, SurviveTheLargestNumbers) {
  const double largest = 1e301;
  Table table;
  for (const double x : {largest, -largest, largest / 2}) {
    table.index.push_back(0);
    table.value.push_back(x);
    table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
    table.label.push_back(0);
  }
  const ColumnTransform transform = transform_of(table, 1, true, true);
  EXPECT_TRUE(std::isfinite(transform.shift[0]));
  EXPECT_NEAR((largest - transform.shift[0]) * transform.scale[0], 0.98058, 1e-5);
}

TEST(Transform, StoresFeaturesOfAtMostOne) {
  const Table table =
      test::make_table({.rows = 300, .columns = 6, .density = 0.8, .column_factor = 1e-4});
  for (const bool scale : {false, true}) {
    const ColumnTransform transform = transform_of(table, 6, scale, scale);
    for (std::int64_t j = 0; j < 6; ++j) {
      float largest = 0;
      for (std::int64_t i = 0; i < 300; ++i) {
        largest = std::max(largest, std::fabs(transform.stored(test::entry(table, i, j), j)));
      }
      EXPECT_LE(largest, 1.0f);
      EXPECT_GT(largest, 0.5f);
    }
  }
}

TEST(Transform, LeavesValuesAloneWithoutStandardisation) {
  const Table table = test::make_table({.rows = 50, .columns = 2});
  const ColumnTransform transform = transform_of(table, 2, false, false);
  for (std::int64_t i = 0; i < 50; ++i) {
    const double x = test::entry(table, i, 1);
    EXPECT_EQ(static_cast<double>(transform.stored(x, 1)) * transform.exponent_power[1],
              static_cast<double>(static_cast<float>(x)));
  }
}

TEST(Transform, MakesAConstantColumnZero) {
  Table table;
  for (int i = 0; i < 5; ++i) {
    table.index.push_back(0);
    table.value.push_back(7.25);
    table.row_start.push_back(i + 1);
    table.label.push_back(0);
  }
  const ColumnTransform transform = transform_of(table, 2, true, true);
  EXPECT_EQ(transform.stored(7.25, 0), 0.0f);
  EXPECT_EQ(transform.stored(0.0, 1), 0.0f);
  EXPECT_EQ(transform.scale[0], 1.0);
}

TEST(Transform, RefusesColumnsThatCannotBeSquared) {
  Table table;
  table.index = {0};
  table.value = {1e200};
  table.row_start = {0, 1};
  table.label = {0};
  try {
    transform_of(table, 1, false, false);
    FAIL() << "expected a DataError";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "feature f1: values up to 1e+200 are too large to be squared (set "
                 "data.standardize: true, or give the column in larger units)");
  }
}

TEST(Statistics, RefuseColumnsThatCannotBeScaled) {
  for (const double x : {1e302, 1e-310}) {
    Table table;
    for (const double value : {x, -x}) {
      table.index.push_back(0);
      table.value.push_back(value);
      table.row_start.push_back(static_cast<std::int64_t>(table.index.size()));
      table.label.push_back(0);
    }
    try {
      transform_of(table, 1, true, true);
      ADD_FAILURE() << "expected a DataError for " << x;
    } catch (const DataError& error) {
      EXPECT_NE(std::string(error.what()).find("feature f1: values between -1e"), std::string::npos)
          << error.what();
    }
  }
}

TEST(ChooseLayout, FollowsTheShareOfEntries) {
  const auto layout = [](double density, Layout wanted) {
    const Table table = test::make_table({.rows = 500, .columns = 40, .density = density});
    DataConfig config;
    config.layout = wanted;
    return choose_layout(config, measure(table, 40).ranges, table.rows());
  };
  EXPECT_EQ(layout(0.5, Layout::kAuto), Layout::kDense);
  EXPECT_EQ(layout(0.05, Layout::kAuto), Layout::kSparse);
  EXPECT_EQ(layout(0.5, Layout::kSparse), Layout::kSparse);
  EXPECT_EQ(layout(0.05, Layout::kDense), Layout::kDense);
}

TEST(CeilExponent, IsTheLeastPowerThatCovers) {
  EXPECT_EQ(ceil_exponent(0.0), 0);
  EXPECT_EQ(ceil_exponent(1.0), 0);
  EXPECT_EQ(ceil_exponent(1.0000001), 1);
  EXPECT_EQ(ceil_exponent(0.5), -1);
  EXPECT_EQ(ceil_exponent(3.0), 2);
  EXPECT_EQ(ceil_exponent(5e-324), -1074);
}

}  // namespace
}  // namespace ossau
