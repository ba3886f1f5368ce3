#include "network_fit.hpp"

#include <gtest/gtest.h>

namespace ossau::bench {
namespace {

std::vector<AllReduceTime> times_of(const Network& network, std::int64_t ranks) {
  std::vector<AllReduceTime> times;
  for (const std::int64_t numbers : {1, 512, 4096, 524288}) {
    times.push_back({numbers, all_reduce_s(numbers, ranks, network)});
  }
  return times;
}

TEST(NetworkFit, FindsTheNetworkBehindExactTimes) {
  const Network network = {.latency_s = 12e-6, .bytes_per_second = 2e9};
  for (const std::int64_t ranks : {2, 3, 64}) {
    const Network found = fit_network(times_of(network, ranks), ranks);
    // Solving the normal equations costs a few digits.
    EXPECT_NEAR(found.latency_s, network.latency_s, 1e-9 * network.latency_s) << ranks;
    EXPECT_NEAR(found.bytes_per_second, network.bytes_per_second, 1e-9 * network.bytes_per_second);
  }
}

TEST(NetworkFit, WeighsSmallAndLargeAlike) {
  std::vector<AllReduceTime> times = times_of({.latency_s = 10e-6, .bytes_per_second = 1e9}, 2);
  for (AllReduceTime& time : times) time.seconds *= time.numbers < 1000 ? 1.1 : 0.9;
  const Network found = fit_network(times, 2);
  // Absolute errors would be those of the largest size alone, and the latency anything.
  EXPECT_NEAR(found.latency_s, 10e-6, 2e-6);
  EXPECT_NEAR(found.bytes_per_second, 1e9, 0.2e9);
}

}  // namespace
}  // namespace ossau::bench
