#include "backend/cpu/gradient_sums.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace ossau {
namespace {

using Entry = std::pair<std::uint32_t, std::int64_t>;  // a feature, and what is added to its sum

// What each thread of a pass meets, in this order.
using Pass = std::vector<std::vector<Entry>>;

// Adds as the kernels do: features are listed when their sum leaves 0.
void add(ThreadSums& to, const Entry& entry) {
  std::int64_t& sum = to.sums[entry.first];
  if (to.touched != nullptr && sum == 0) to.touched[to.touched_count++] = entry.first;
  sum += entry.second;
}

std::int64_t entries_of(const Pass& pass) {
  std::size_t count = 0;
  for (const auto& entries : pass) count += entries.size();
  return static_cast<std::int64_t>(count);
}

// Thread t adds t + 1 to the intercept, and 10, 20, 30, 40 times that to the totals.
void add_pass(GradientSums& sums, const Pass& pass, std::int64_t features, std::int64_t entries) {
  const SumLayout layout{features};
  sums.start(entries);
  for (std::size_t thread = 0; thread < pass.size(); ++thread) {
    ThreadSums& to = sums.of(static_cast<std::int64_t>(thread));
    for (const Entry& entry : pass[thread]) add(to, entry);
    const auto one = static_cast<std::int64_t>(thread + 1);
    to.sums[layout.intercept()] += one;
    for (std::size_t i = 0; i < SumLayout::kTotals; ++i) {
      to.sums[layout.totals() + i] += 10 * static_cast<std::int64_t>(i + 1) * one;
    }
  }
  sums.finish();
}

void expect_rest(const GradientSums& sums, std::int64_t threads) {
  const std::int64_t all = threads * (threads + 1) / 2;
  EXPECT_EQ(sums.intercept(), all);
  EXPECT_EQ(sums.totals().loss_floors, 10 * all);
  EXPECT_EQ(sums.totals().loss_fractions, 20 * all);
  EXPECT_EQ(sums.totals().not_finite, 30 * all);
  EXPECT_EQ(sums.totals().clamped, 40 * all);
}

std::vector<std::int64_t> expected_sums(const Pass& pass, std::int64_t features) {
  std::vector<std::int64_t> expected(static_cast<std::size_t>(features), 0);
  for (const auto& entries : pass) {
    for (const auto& [j, value] : entries) expected[j] += value;
  }
  return expected;
}

// The features of merged(), which must be `pass`.
void expect_merged(GradientSums& sums, const Pass& pass, std::int64_t features) {
  const auto host = sums.merged().host();
  ASSERT_EQ(host.size(), SumLayout{features}.size());
  const std::vector<std::int64_t> merged(host.begin(), host.begin() + features);
  EXPECT_EQ(merged, expected_sums(pass, features));
  EXPECT_FALSE(sums.listed());
  const auto threads = static_cast<std::int64_t>(pass.size());
  EXPECT_EQ(host[static_cast<std::size_t>(features)], threads * (threads + 1) / 2);
  expect_rest(sums, threads);
}

// Every touched feature has its sum taken at its first call and 0 at those that follow, all of them
// in one thread.
void expect_consumed(GradientSums& sums, const Pass& pass, std::int64_t features) {
  struct Taken {
    std::thread::id thread;
    std::vector<std::int64_t> values;
  };
  std::map<std::uint32_t, Taken> taken;
  std::mutex mutex;
  sums.consume([&](std::uint32_t j) { EXPECT_LT(j, features); },
               [&](std::uint32_t j, std::int64_t sum) {
                 const std::lock_guard lock(mutex);
                 const auto here = std::this_thread::get_id();
                 Taken& calls = taken.try_emplace(j, Taken{here, {}}).first->second;
                 EXPECT_EQ(calls.thread, here) << j;
                 calls.values.push_back(sum);
               });
  const auto expected = expected_sums(pass, features);
  std::set<std::uint32_t> met;
  for (const auto& entries : pass) {
    for (const auto& [j, value] : entries) met.insert(j);
  }
  EXPECT_EQ(taken.size(), met.size());
  for (const auto& [j, calls] : taken) {
    EXPECT_EQ(met.count(j), 1u) << j;
    EXPECT_EQ(calls.values.front(), expected[j]) << j;
    for (std::size_t i = 1; i < calls.values.size(); ++i) EXPECT_EQ(calls.values[i], 0) << j;
  }
}

constexpr std::int64_t kFeatures = 1000;

// Neighbours and those that are not, in one list and in several, twice, sums that return to 0 for a
// while and for good, products that were rounded to 0.
Pass pass_of(std::int64_t threads) {
  Pass pass;
  for (std::int64_t t = 0; t < threads; ++t) {
    const auto own = static_cast<std::uint32_t>(100 + 17 * t);
    pass.push_back({{0, 5 + t},
                    {1, -7},
                    {15, t + 1},
                    {16, 11},
                    {17, -3},
                    {999, INT64_C(1) << 55},
                    {own, 4},
                    {own, -4},
                    {own, 9},  // listed a second time
                    {own + 1, 6},
                    {own + 1, -6},  // 0 in the end
                    {own + 2, 0},
                    {own + 2, 0},  // never anything else
                    {500, t % 2 == 0 ? 8 : -8}});
  }
  return pass;
}

TEST(GradientSums, HandOutEachListedFeatureOnceWithTheSumOfAllThreads) {
  for (const std::int64_t threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    GradientSums sums(kFeatures, true, pool);
    const Pass pass = pass_of(threads);
    for (int round = 0; round < 3; ++round) {
      add_pass(sums, pass, kFeatures, kFeatures);
      ASSERT_TRUE(sums.listed());
      expect_rest(sums, threads);
      expect_consumed(sums, pass, kFeatures);
      EXPECT_FALSE(sums.listed());
    }
  }
}

// As ranks do that exchange what they touched: here two of them with the same sums.
TEST(GradientSums, GiveListedFeaturesAwayAndTakeThemOfAllRanks) {
  for (const std::int64_t threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    GradientSums sums(kFeatures, true, pool);
    const Pass pass = pass_of(threads);
    const std::vector<std::int64_t> expected = expected_sums(pass, kFeatures);
    for (const bool merge : {false, true, false}) {
      add_pass(sums, pass, kFeatures, kFeatures);
      ASSERT_TRUE(sums.listed());
      std::vector<FeatureSum> entries;
      sums.take(entries);
      std::set<std::int64_t> features;
      for (const FeatureSum& entry : entries) {
        EXPECT_TRUE(features.insert(entry.feature).second) << entry.feature;
        EXPECT_NE(entry.sum, 0) << entry.feature;
        EXPECT_EQ(entry.sum, expected[static_cast<std::size_t>(entry.feature)]) << entry.feature;
      }
      sums.add(entries);
      sums.add(entries);
      EXPECT_TRUE(sums.listed());
      expect_rest(sums, threads);
      std::vector<std::int64_t> got(static_cast<std::size_t>(kFeatures), 0);
      if (merge) {
        std::copy_n(sums.merged().data, kFeatures, got.begin());
      } else {
        std::mutex mutex;
        sums.consume([](std::uint32_t) {},
                     [&](std::uint32_t j, std::int64_t sum) {
                       const std::lock_guard lock(mutex);
                       got[j] += sum;
                     });
      }
      for (std::size_t j = 0; j < got.size(); ++j) EXPECT_EQ(got[j], 2 * expected[j]) << j;
    }
  }
}

TEST(GradientSums, AreMergedWhetherListedOrNot) {
  for (const std::int64_t threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (const bool lists : {true, false}) {
      GradientSums sums(kFeatures, lists, pool);
      const Pass pass = pass_of(threads);
      for (int round = 0; round < 3; ++round) {
        add_pass(sums, pass, kFeatures, kFeatures);
        EXPECT_EQ(sums.listed(), lists);
        expect_merged(sums, pass, kFeatures);
        expect_merged(sums, pass, kFeatures);  // once more changes nothing
      }
    }
  }
}

enum class After { kNothing, kMerged, kChanged, kConsumed };

// Whatever became of a pass, and of the one before it, nothing is left for the next.
TEST(GradientSums, StartFromZeroWhateverBecameOfThePassBefore) {
  for (const std::int64_t threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    GradientSums sums(kFeatures, true, pool);
    const Pass pass = pass_of(threads);
    for (int i = 0; i < 64; ++i) {
      const auto after = static_cast<After>(i % 4);
      const bool list = i / 4 % 2 == 0 || after == After::kConsumed;
      add_pass(sums, pass, kFeatures, list ? kFeatures : kFeatures + 1);
      EXPECT_EQ(sums.listed(), list);
      if (after == After::kConsumed) expect_consumed(sums, pass, kFeatures);
      if (after == After::kMerged || after == After::kChanged) {
        expect_merged(sums, pass, kFeatures);
      }
      // As an all-reduce does: features that were not touched here get sums too.
      if (after == After::kChanged) sums.merged().data[i] += 77;
      if (i % 3 != 0) continue;
      add_pass(sums, Pass(static_cast<std::size_t>(threads)), kFeatures, i % 2 * 2 * kFeatures);
      expect_merged(sums, Pass(static_cast<std::size_t>(threads)), kFeatures);
    }
  }
}

TEST(GradientSums, ListOnlyWhereTheListsHoldEveryEntry) {
  ThreadPool pool(2);
  for (const std::int64_t features : {1, 16, 17, 400}) {
    GradientSums sums(features, true, pool);
    for (const std::int64_t entries : {features - 1, features, features + 1, 1000 * features}) {
      sums.start(entries);
      EXPECT_EQ(sums.of(0).touched != nullptr, entries <= features) << entries;
      EXPECT_EQ(sums.of(1).touched != nullptr, entries <= features) << entries;
      sums.finish();
    }
    GradientSums unlisted(features, false, pool);
    unlisted.start(0);
    EXPECT_EQ(unlisted.of(0).touched, nullptr);
  }
}

// Every feature touched, by one thread or by all in turn: lists and their padding are full.
TEST(GradientSums, HoldListsAsLongAsThereAreFeatures) {
  for (const std::int64_t features : {1, 15, 16, 17, 64, 1000}) {
    for (const std::int64_t threads : {1, 2, 3, 7}) {
      for (const std::int64_t used : {std::int64_t{1}, threads}) {
        ThreadPool pool(threads);
        GradientSums sums(features, true, pool);
        Pass pass(static_cast<std::size_t>(threads));
        for (std::int64_t j = 0; j < features; ++j) {
          pass[static_cast<std::size_t>(j % used)].push_back(
              {static_cast<std::uint32_t>(j), j + 1});
        }
        add_pass(sums, pass, features, entries_of(pass));
        EXPECT_FALSE(sums.listed()) << "nearly all are touched: order is faster";
        expect_consumed(sums, pass, features);
        add_pass(sums, pass, features, entries_of(pass));
        expect_merged(sums, pass, features);
      }
    }
  }
}

// One feature as often as the list has room, in as many threads as there are.
TEST(GradientSums, HoldListsOfOneFeatureManyTimes) {
  for (const std::int64_t threads : {1, 3}) {
    ThreadPool pool(threads);
    constexpr std::int64_t kFew = 96;
    for (const std::uint32_t feature : {0U, 1U, 15U, 16U, 17U, 95U}) {
      GradientSums sums(kFew, true, pool);
      Pass pass(static_cast<std::size_t>(threads));
      for (std::int64_t i = 0; i < kFew; ++i) {
        pass[static_cast<std::size_t>(i / 4 % threads)].push_back({feature, i % 2 == 0 ? 3 : -3});
      }
      pass[0].back().second = 2;
      add_pass(sums, pass, kFew, entries_of(pass));
      expect_consumed(sums, pass, kFew);
      add_pass(sums, pass, kFew, entries_of(pass));
      expect_merged(sums, pass, kFew);
    }
  }
}

TEST(GradientSums, AreListedUpToAQuarterOfTheFeatures) {
  ThreadPool pool(2);
  GradientSums sums(400, true, pool);
  for (const std::uint32_t touched : {0U, 1U, 100U, 101U}) {
    Pass pass(2);
    for (std::uint32_t j = 0; j < touched; ++j) pass[j % 2].push_back({3 * j, 1});
    add_pass(sums, pass, 400, 400);
    EXPECT_EQ(sums.listed(), touched <= 100) << touched;
  }
}

TEST(GradientSums, HaveAnInterceptWithoutAnyFeature) {
  ThreadPool pool(2);
  GradientSums sums(0, true, pool);
  for (int round = 0; round < 2; ++round) {
    add_pass(sums, Pass(2), 0, 0);
    expect_rest(sums, 2);
    expect_consumed(sums, Pass(2), 0);
    add_pass(sums, Pass(2), 0, 0);
    expect_merged(sums, Pass(2), 0);
  }
}

}  // namespace
}  // namespace ossau
