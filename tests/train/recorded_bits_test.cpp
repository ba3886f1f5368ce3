#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arith/fixed_point.hpp"
#include "arith/loss.hpp"
#include "backend/cpu/cpu_backend.hpp"
#include "backend/cpu/scalar_tile_ops.hpp"
#include "comm/single.hpp"
#include "train/preparation.hpp"
#include "train/trainer.hpp"
#include "train/training_samples.hpp"
#include "train/update_rule.hpp"

// The bits of exact-1, recorded.  A change that moves one of them needs a page in docs/decisions
// and a higher kExactVersion.

namespace ossau::test {
namespace {

Config recorded_config(const TemporaryDirectory& directory, Layout layout) {
  Config config = small_config(
      write_csv(directory, "train.csv", {.rows = 1000, .columns = 20, .density = 0.5}));
  config.data.layout = layout;
  config.model.l2 = 0.01;
  config.training.epochs = 3;
  config.training.batch_size = 64;
  return config;
}

std::string recorded_hash(Layout layout, void (*change)(Config&)) {
  const TemporaryDirectory directory;
  Config config = recorded_config(directory, layout);
  change(config);
  return weight_hash(train_quietly(config).model).substr(0, 16);
}

void momentum(Config& config) {
  config.optimizer.momentum = 0.9;
  config.optimizer.schedule = Schedule::kCosine;
}
void elastic_net(Config& config) { config.model.l1 = 0.01; }
void adaptive(Config& config) {
  config.optimizer.restart = Restart::kAdaptive;
  config.training.batch_size = TrainingConfig::kAllRows;
  config.training.epochs = 100;
}
void nesterov(Config& config) {
  config.optimizer.momentum = 0.9;
  config.optimizer.nesterov = true;
  config.model.l1 = 0.01;
}
void heavy_ball_with_l1(Config& config) {
  config.optimizer.momentum = 0.9;
  config.model.l1 = 0.01;
}
void plain(Config&) {}

TEST(RecordedBits, HaveNotMoved) {
  EXPECT_EQ(recorded_hash(Layout::kDense, plain), "ff5d720db0d48fc4");
  EXPECT_EQ(recorded_hash(Layout::kDense, momentum), "35d233b4676ae3e1");
  EXPECT_EQ(recorded_hash(Layout::kDense, elastic_net), "1817bd391369f12b");
  EXPECT_EQ(recorded_hash(Layout::kDense, adaptive), "2fda388b8d1fecbd");
  EXPECT_EQ(recorded_hash(Layout::kDense, nesterov), "df373ea24624f146");
  EXPECT_EQ(recorded_hash(Layout::kDense, heavy_ball_with_l1), "3fdede941a2ed3df");
  EXPECT_EQ(recorded_hash(Layout::kSparse, plain), "86c4ba88c113c1b0");
  EXPECT_EQ(recorded_hash(Layout::kSparse, momentum), "6596532de689d6e5");
  EXPECT_EQ(recorded_hash(Layout::kSparse, elastic_net), "63173cba19609dc4");
  EXPECT_EQ(recorded_hash(Layout::kSparse, adaptive), "6b7ca34cc1b270e7");
}

// The scalar kernels once more, with one constant of the arithmetic changed in its last bit or one
// order exchanged: the comparison above must notice each.
enum class Change { kNone, kPolynomial, kButterfly, kFixedPoint };

template <Change kChange>
struct ChangedOps : ScalarTileOps {
  static float set(float x) {
    const bool changes = kChange == Change::kPolynomial && x == 0.5f;  // 1/2!
    return changes ? bit_copy<float>(bit_copy<std::uint32_t>(x) + 1) : x;
  }
  // One float32 rounding less in the last place of the tile's sum.
  static float reduce(float x) {
    return kChange == Change::kButterfly ? bit_copy<float>(bit_copy<std::uint32_t>(x) & ~1u) : x;
  }
  // 2^k for a smaller k, shifted back.
  static void add_fixed(std::int64_t* sums, float x, double scale) {
    constexpr int kLost = kChange == Change::kFixedPoint ? 24 : 0;
    *sums += to_fixed(x, scale * power_of_two(-kLost)) * (std::int64_t{1} << kLost);
  }
};

namespace changed {
#include "backend/cpu/tile_kernels.hpp"
}

template <Change kChange>
CpuKernels changed_kernels() {
  using Kernels = changed::TileKernels<ChangedOps<kChange>>;
  return {Simd::kScalar, "changed", LossKind::kLogistic, Kernels::gradient,
          Kernels::logistic_values};
}

std::vector<double> train_with(const CpuKernels& kernels) {
  const TemporaryDirectory directory;
  const Config config = recorded_config(directory, Layout::kDense);
  const auto communicator = make_single_communicator();
  ThreadPool pool(2);
  PreparedData prepared =
      prepare(config, read_dataset(config.data, std::nullopt), *communicator, pool);
  const UpdateRule rule = choose_rule(config, prepared.layout);
  const RowSetInfo train(RowSet::kTrain, prepared.rows.train);
  TrainerData data{.shards = prepared.rows.train.shards,
                   .train = train,
                   .validation = std::nullopt,
                   .start = first_weights(config.model, train),
                   .first_rate = safe_learning_rate(prepared.lipschitz, make_penalty(config)),
                   .penalty = make_penalty(config),
                   .rule = rule,
                   .features = prepared.transform.columns()};
  ModelSetup setup;
  setup.exponent_power = prepared.transform.exponent_power;
  setup.rule = rule;
  setup.penalty = make_penalty(config);
  const auto backend =
      make_cpu_backend(kernels, 1, Waiting::kSleep, std::move(prepared.rows), setup);
  Trainer trainer(config, data, *backend, *communicator, nullptr);
  trainer.train();
  return trainer.weights();
}

TEST(RecordedBits, NoticeAChangeOfOneConstant) {
  const auto expected = train_with(available_kernels().front());
  EXPECT_EQ(train_with(changed_kernels<Change::kNone>()), expected);
  EXPECT_NE(train_with(changed_kernels<Change::kPolynomial>()), expected);
  EXPECT_NE(train_with(changed_kernels<Change::kButterfly>()), expected);
  EXPECT_NE(train_with(changed_kernels<Change::kFixedPoint>()), expected);
}

}  // namespace
}  // namespace ossau::test
