#include "train/sum_exchange.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "backend/prepared_rows.hpp"
#include "comm/threads.hpp"
#include "ossau/config.hpp"

namespace ossau::test {
namespace {

constexpr std::int64_t kFeatures = 2000;
constexpr std::int64_t kRows = 640;  // ten tiles

// Wide rows: a tile touches a share of the features that the test chooses.
PreparedRows wide_rows(std::int64_t entries_of_row) {
  Table table;
  for (std::int64_t i = 0; i < kRows; ++i) add_spread_row(table, kFeatures, entries_of_row, true);
  return prepare_table(table, kFeatures, Layout::kSparse);
}

struct Outcome {
  std::vector<double> weights;  // after the steps
  std::vector<std::int64_t> notes;
  std::int64_t by_feature = 0;
};

// Steps of one tile and of all tiles in turn, shared among the ranks: rank k adds what k tiles of
// ten hold, so that some have nothing.
Outcome steps_on(std::int64_t ranks, std::int64_t threads, std::int64_t entries_of_row,
                 bool by_feature) {
  ThreadGroup group(ranks, 60);
  std::vector<std::thread> workers;
  Outcome outcome;
  for (std::int64_t rank = 0; rank < ranks; ++rank) {
    workers.emplace_back([&, rank] {
      PreparedRows prepared = wide_rows(entries_of_row);
      prepared.setup.rule = UpdateRule::kScaled;
      const auto slices = every_tile(prepared.tiles.shards);
      RunConfig config;
      config.device = Device::kCpu;
      const auto backend =
          make_backend(config, {}, threads, {std::move(prepared.tiles), {}}, prepared.setup);
      backend->set_weights(std::vector<double>(kFeatures + 1, 0.25));
      const auto communicator = group.communicator(rank);
      // More entries than features: nobody expects that lists could serve.
      SumExchange exchange(*backend, *communicator, kFeatures, by_feature ? 1 : kFeatures + 1);
      std::vector<std::int64_t> notes;
      for (int step = 0; step < 6; ++step) {
        const bool all = step % 3 == 2;
        std::vector<TileSlice> batch;
        for (std::size_t i = 0; i < slices.size(); ++i) {
          const bool in_batch = all || i == static_cast<std::size_t>(step);
          if (in_batch && static_cast<std::int64_t>(i) % ranks == rank) batch.push_back(slices[i]);
        }
        backend->gradient(RowSet::kTrain, batch, 40);
        notes.push_back(exchange.add(rank + step));
        backend->update({.rate = 0.5,
                         .gradient_factor = 0x1p-40 / 64,
                         .scale = 1.0,
                         .fold = false,
                         .fold_factor = 1.0});
      }
      if (rank != 0) return;
      outcome.notes = std::move(notes);
      outcome.weights.resize(kFeatures + 1);
      backend->get_weights(outcome.weights);
      outcome.by_feature = exchange.by_feature();
    });
  }
  for (std::thread& worker : workers) worker.join();
  return outcome;
}

TEST(SumExchange, GivesTheSameBitsByFeatureAndWithAllFeatures) {
  for (const std::int64_t entries : {1, 5, 40}) {
    const std::vector<double> expected = steps_on(1, 1, entries, false).weights;
    for (const std::int64_t ranks : {2, 3, 5}) {
      for (const std::int64_t threads : {1, 3}) {
        for (const bool by_feature : {false, true}) {
          const Outcome outcome = steps_on(ranks, threads, entries, by_feature);
          EXPECT_EQ(outcome.weights, expected)
              << entries << " entries a row, " << ranks << " ranks, " << by_feature;
        }
      }
    }
  }
}

// Single tiles of 64 rows touch at most 64 of 2,000 features at one entry a row, all tiles 640.
TEST(SumExchange, ChoosesForEachStepFromWhatIsTouched) {
  EXPECT_EQ(steps_on(2, 1, 1, true).by_feature, 4);   // all tiles touch more than a quarter
  EXPECT_EQ(steps_on(2, 1, 40, true).by_feature, 0);  // a tile does
  EXPECT_EQ(steps_on(2, 1, 1, false).by_feature, 0);
  EXPECT_EQ(steps_on(1, 1, 1, true).by_feature, 0);
}

TEST(SumExchange, CarriesTheNotesOfAllRanks) {
  for (const std::int64_t entries : {1, 40}) {
    for (const bool by_feature : {false, true}) {
      const Outcome outcome = steps_on(3, 1, entries, by_feature);
      EXPECT_EQ(outcome.notes, (std::vector<std::int64_t>{3, 6, 9, 12, 15, 18}));
    }
  }
  EXPECT_EQ(steps_on(1, 1, 1, true).notes, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
}

}  // namespace
}  // namespace ossau::test
