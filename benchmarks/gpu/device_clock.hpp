#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace ossau::bench {

/// Median and quartiles of samples, in seconds.
struct Spread {
  double median_s = 0;
  double low_s = 0;
  double high_s = 0;
  std::int64_t samples = 0;
};

/// Times `work`, which queues `calls` pieces of work on a device, and `finish`, which waits for
/// them: after a warm-up, as many samples as asked for, each of so many calls that it lasts long
/// enough for the clock.  Seconds are those of one call.
Spread measure(const std::function<void(std::int64_t calls)>& work,
               const std::function<void()>& finish, std::int64_t samples, double sample_s);

}  // namespace ossau::bench
