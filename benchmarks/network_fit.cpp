#include "network_fit.hpp"

#include <limits>

namespace ossau::bench {

Network fit_network(const std::vector<AllReduceTime>& times, std::int64_t ranks) {
  // The model is messages * latency + bytes / bandwidth: ask it for each part alone.
  constexpr Network kOnlyMessages = {.latency_s = 1,
                                     .bytes_per_second = std::numeric_limits<double>::infinity()};
  constexpr Network kOnlyBytes = {.latency_s = 0, .bytes_per_second = 1};
  double mm = 0;
  double mb = 0;
  double bb = 0;
  double m1 = 0;
  double b1 = 0;
  for (const AllReduceTime& time : times) {
    const double messages = all_reduce_s(time.numbers, ranks, kOnlyMessages) / time.seconds;
    const double bytes = all_reduce_s(time.numbers, ranks, kOnlyBytes) / time.seconds;
    mm += messages * messages;
    mb += messages * bytes;
    bb += bytes * bytes;
    m1 += messages;
    b1 += bytes;
  }
  const double determinant = mm * bb - mb * mb;
  return {.latency_s = (m1 * bb - b1 * mb) / determinant,
          .bytes_per_second = determinant / (b1 * mm - m1 * mb)};
}

}  // namespace ossau::bench
