// What it costs to have all threads do nothing together, at once or after a pause, beside the time
// in which a cache line goes to another core and comes back.

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "core/thread_pool.hpp"
#include "program.hpp"

namespace ossau::bench {
namespace {

// A thread that answers: it sets `answer` to whatever it reads in `question`.
class Echo {
 public:
  Echo() : thread_([this] { serve(); }) {}
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  ~Echo() {
    ask(kStop);
    thread_.join();
  }

  /// Seconds of one question and its answer; the other thread stays awake.
  double round_trip_s() {
    constexpr std::uint32_t kTrips = 10'000;
    question_ = kIdle;
    while (answer_ != kIdle) std::this_thread::yield();
    const double seconds = seconds_of([this] {
      for (std::uint32_t i = 1; i <= kTrips; ++i) ask(i);
    });
    question_ = kSleep;
    return seconds / kTrips;
  }

 private:
  static constexpr std::uint32_t kIdle = 0;
  static constexpr std::uint32_t kSleep = ~std::uint32_t{0};
  static constexpr std::uint32_t kStop = kSleep - 1;

  void ask(std::uint32_t number) {
    question_ = number;
    while (answer_ != number) {
    }
  }

  void serve() {
    for (std::uint32_t seen = kSleep; seen != kStop;) {
      const std::uint32_t asked = question_;
      // Between measurements it leaves the core to the pool.
      if (asked == kSleep) std::this_thread::sleep_for(std::chrono::microseconds(100));
      if (asked != seen) answer_ = seen = asked;
    }
  }

  alignas(64) std::atomic<std::uint32_t> question_{kSleep};
  alignas(64) std::atomic<std::uint32_t> answer_{kSleep};
  std::thread thread_;
};

// The caller is busy meanwhile, as the trainer is between two passes.
void pause(double seconds) {
  const Stopwatch clock;
  while (clock.seconds() < seconds) {
  }
}

void measure_wake(benchmark::State& state, std::int64_t threads, double pause_s,
                  std::int64_t runs) {
  ThreadPool pool(threads);
  const auto nothing = [](std::int64_t) {};
  const auto work = [&] {
    if (pause_s == 0) {
      return seconds_of([&] {
               for (std::int64_t i = 0; i < runs; ++i) pool.run(nothing);
             }) /
             static_cast<double>(runs);
    }
    double sum_s = 0;
    for (std::int64_t i = 0; i < runs; ++i) {
      pause(pause_s);
      sum_s += seconds_of([&] { pool.run(nothing); });
    }
    return sum_s / static_cast<double>(runs);
  };
  Echo echo;
  measure_pairs(state, {.work = work,
                        .reference = [&echo] { return echo.round_trip_s(); },
                        .reference_name = "cache line there and back",
                        .threads = threads});
}

}  // namespace

void add_rows(const Effort& effort) {
  const std::int64_t threads = effort.threads.back();
  if (threads == 1) return;  // nobody to wake
  struct Pause {
    const char* name;
    double seconds;
    std::int64_t runs;
  };
  for (const Pause& pause :
       {Pause{"back_to_back", 0, effort.size(10'000, 100)},
        Pause{"after_10us", 10e-6, effort.size(1'000, 10)},
        Pause{"after_100us", 100e-6, effort.size(200, 10)}, Pause{"after_10ms", 10e-3, 10}}) {
    add_row(
        effort, fmt::format("wake/{}/threads={}", pause.name, threads),
        [=](benchmark::State& state) { measure_wake(state, threads, pause.seconds, pause.runs); });
  }
}

}  // namespace ossau::bench
