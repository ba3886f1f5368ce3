// What it costs to add up numbers over processes.  Started by a launcher as a training is, on two
// ranks or more (scripts/bench_communication.sh does); rank 0 prints.
//   communication_benchmark [--quick]

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>
#include <string_view>
#include <vector>

#include "comm/process/join.hpp"
#include "core/clock.hpp"
#include "core/median.hpp"
#include "network_fit.hpp"

namespace ossau::bench {
namespace {

constexpr std::int64_t kNumberBytes = 8;
constexpr double kFast = 0.1;

// So many samples in each round.
struct Case {
  std::int64_t numbers;
  std::int64_t samples;
};
// From one number to 8 MB; 8 B, 4 KB and 4 MB are what benchmarks/README.md shows.
constexpr std::array<Case, 9> kCases = {{{1, 400},
                                         {64, 400},
                                         {512, 400},
                                         {1024, 400},
                                         {4096, 200},
                                         {32768, 60},
                                         {131072, 20},
                                         {524288, 10},
                                         {1048576, 5}}};
// What else the machine does comes and goes: each size is measured in several rounds.
constexpr int kRounds = 11;

// Seconds of one call; the slowest rank decides how long it took.
double sample(Communicator& ranks, std::vector<std::int64_t>& values) {
  std::fill(values.begin(), values.end(), 1);
  ranks.barrier("benchmark");
  const Stopwatch clock;
  all_reduce(ranks, values, Reduction::kSum, "benchmark");
  auto slowest_ns = static_cast<std::int64_t>(1e9 * clock.seconds());
  if (values.back() != ranks.rank().size) throw CommError("the sum is wrong");
  all_reduce(ranks, {&slowest_ns, 1}, Reduction::kMax, "benchmark");
  return 1e-9 * static_cast<double>(slowest_ns);
}

using Samples = std::array<std::vector<double>, kCases.size()>;

Samples measure(Communicator& ranks, bool quick) {
  Samples seconds;
  for (int round = 0; round < (quick ? 1 : kRounds); ++round) {
    for (std::size_t i = 0; i < kCases.size(); ++i) {
      std::vector<std::int64_t> values(static_cast<std::size_t>(kCases[i].numbers));
      (void)sample(ranks, values);  // its memory is new
      for (std::int64_t k = 0; k < (quick ? 3 : kCases[i].samples); ++k) {
        seconds[i].push_back(sample(ranks, values));
      }
    }
  }
  return seconds;
}

// The value below which a share of them lies.
double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size()))];
}

void print_network(const char* what, const std::vector<AllReduceTime>& times, std::int64_t ranks) {
  const Network network = fit_network(times, ranks);
  fmt::print("{:<12} latency {:.3g} us a message, bandwidth {:.3g} GB/s\n", what,
             1e6 * network.latency_s, 1e-9 * network.bytes_per_second);
}

void print(const Samples& samples, std::int64_t ranks) {
  std::vector<AllReduceTime> medians;
  std::vector<AllReduceTime> fast;
  for (std::size_t i = 0; i < kCases.size(); ++i) {
    medians.push_back({kCases[i].numbers, median(samples[i])});
    fast.push_back({kCases[i].numbers, quantile(samples[i], kFast)});
  }
  const Network network = fit_network(medians, ranks);
  fmt::print("{} ranks\n{:>10} {:>14} {:>10} {:>10}\n", ranks, "bytes", "fast tenth us",
             "median us", "model us");
  for (std::size_t i = 0; i < kCases.size(); ++i) {
    fmt::print("{:>10} {:>14.4g} {:>10.4g} {:>10.4g}\n", kCases[i].numbers * kNumberBytes,
               1e6 * fast[i].seconds, 1e6 * medians[i].seconds,
               1e6 * all_reduce_s(kCases[i].numbers, ranks, network));
  }
  print_network("median", medians, ranks);
  print_network("fast tenth", fast, ranks);
}

void run(bool quick) {
  const std::unique_ptr<Communicator> ranks = join_processes(Config(), [] {
    return std::map<std::string, std::string>{{"benchmark", "communication"}};
  });
  if (ranks == nullptr) {
    throw ConfigError("one rank alone has nothing to add up (see scripts/bench_communication.sh)");
  }
  const Samples samples = measure(*ranks, quick);
  if (ranks->rank().rank == 0) print(samples, ranks->rank().size);
  ranks->barrier("end");
}

}  // namespace
}  // namespace ossau::bench

int main(int argc, char** argv) {
  try {
    ossau::bench::run(argc > 1 && std::string_view(argv[1]) == "--quick");
    return 0;
  } catch (const ossau::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}
