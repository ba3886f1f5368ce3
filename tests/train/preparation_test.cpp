#include "train/preparation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "comm/single.hpp"
#include "support/tables.hpp"

namespace ossau {
namespace {

PreparedData prepare_alone(const Config& config, const Dataset& dataset) {
  const auto communicator = make_single_communicator();
  ThreadPool pool(2);
  return prepare(config, dataset, *communicator, pool);
}

Dataset dataset_of(const test::TableShape& shape) {
  return {test::make_schema(shape.columns), test::make_table(shape), std::nullopt};
}

TEST(Prepare, HoldsOutTheAskedShareOfRows) {
  Config config;
  config.data.validation_fraction = 0.25;
  const PreparedData data = prepare_alone(config, dataset_of({.rows = 103}));
  EXPECT_EQ(data.validation_rows, 25);
  EXPECT_EQ(data.train_rows, 78);
}

TEST(Prepare, HoldsOutTheLastRowsWithoutShuffling) {
  Config config;
  config.data.validation_fraction = 0.1;
  config.data.shuffle = false;
  config.data.standardize = AutoBool::kFalse;
  const Dataset dataset = dataset_of({.rows = 20, .columns = 1});
  const PreparedData data = prepare_alone(config, dataset);
  const auto& held_out = std::get<DenseTiles>(data.rows.validation.storage);
  EXPECT_EQ(held_out.values[0], data.transform.stored(test::entry(dataset.train, 18, 0), 0));
  EXPECT_EQ(held_out.values[1], data.transform.stored(test::entry(dataset.train, 19, 0), 0));
}

TEST(Prepare, CentresDenseAndOnlyScalesSparseData) {
  Config config;
  const Dataset dataset = dataset_of({.rows = 200, .columns = 3});
  config.data.layout = Layout::kDense;
  EXPECT_NE(prepare_alone(config, dataset).transform.shift[0], 0.0);
  config.data.layout = Layout::kSparse;
  const PreparedData sparse = prepare_alone(config, dataset);
  EXPECT_EQ(sparse.transform.shift[0], 0.0);
  EXPECT_NE(sparse.transform.scale[0], 1.0);
}

TEST(Prepare, BoundsTheCurvatureOfTheWeightedLoss) {
  Config config;
  config.data.standardize = AutoBool::kFalse;
  const Dataset dataset = dataset_of({.rows = 150, .columns = 4, .weighted = true});
  double largest = 0;
  double total = 0;
  for (std::int64_t i = 0; i < 150; ++i) {
    double norm = 1;
    for (std::int64_t j = 0; j < 4; ++j) norm += std::pow(test::entry(dataset.train, i, j), 2);
    const double weight = dataset.train.weight[static_cast<std::size_t>(i)];
    largest = std::max(largest, weight * norm / 4);
    total += weight;
  }
  const double expected = largest * 150 / total;
  // Features and weights are rounded to float32.
  EXPECT_NEAR(prepare_alone(config, dataset).lipschitz, expected, 1e-6 * expected);
}

}  // namespace
}  // namespace ossau
