#include "gpu/device_clock.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/clock.hpp"

namespace ossau::bench {
namespace {

constexpr std::int64_t kMostCalls = 100'000;

double seconds_of(const std::function<void(std::int64_t)>& work,
                  const std::function<void()>& finish, std::int64_t calls) {
  const Stopwatch clock;
  work(calls);
  finish();
  return clock.seconds() / static_cast<double>(calls);
}

}  // namespace

Spread measure(const std::function<void(std::int64_t calls)>& work,
               const std::function<void()>& finish, std::int64_t samples, double sample_s) {
  (void)seconds_of(work, finish, 1);  // loads, allocates, warms up
  const double once = seconds_of(work, finish, 1);
  const auto calls = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::ceil(sample_s / std::max(once, 1e-9))), 1, kMostCalls);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i < samples; ++i) seconds.push_back(seconds_of(work, finish, calls));
  std::sort(seconds.begin(), seconds.end());
  return {.median_s = seconds[seconds.size() / 2],
          .low_s = seconds[seconds.size() / 4],
          .high_s = seconds[seconds.size() * 3 / 4],
          .samples = samples};
}

}  // namespace ossau::bench
