#include "pairs.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace ossau::bench {
namespace {

// The value below which a share of the sorted sample lies, between neighbours by a straight line.
double quantile(std::vector<double> sample, double share) {
  std::sort(sample.begin(), sample.end());
  const double place = share * static_cast<double>(sample.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sample.size() - 1);
  return sample[below] + (place - static_cast<double>(below)) * (sample[above] - sample[below]);
}

void set_quartiles(benchmark::State& state, const std::string& name,
                   const std::vector<double>& sample) {
  state.counters[name] = quantile(sample, 0.5);
  state.counters[name + "_low"] = quantile(sample, 0.25);
  state.counters[name + "_high"] = quantile(sample, 0.75);
}

// Seconds of so many calls.
using Sample = std::function<double(std::int64_t calls)>;

Timed enough_calls(const Sample& sample, double sample_s) {
  sample(1);  // the first call pays for cold memory
  std::int64_t calls = 1;
  while (sample(calls) < sample_s) calls *= 2;
  return [sample, calls] { return sample(calls) / static_cast<double>(calls); };
}

}  // namespace

Timed repeated(std::function<void()> function, double sample_s) {
  const auto sample = [function = std::move(function)](std::int64_t calls) {
    return seconds_of([&] {
      for (std::int64_t i = 0; i < calls; ++i) function();
    });
  };
  return enough_calls(sample, sample_s);
}

Timed repeated_after(std::function<void()> prepare, std::function<void()> function,
                     double sample_s) {
  const auto sample = [prepare = std::move(prepare),
                       function = std::move(function)](std::int64_t calls) {
    double seconds = 0;
    for (std::int64_t i = 0; i < calls; ++i) {
      prepare();
      seconds += seconds_of(function);
    }
    return seconds;
  };
  return enough_calls(sample, sample_s);
}

void measure_pairs(benchmark::State& state, const Pair& pair) {
  std::vector<double> work;
  std::vector<double> reference;
  std::vector<double> share;
  std::vector<double> bound;
  pair.work();
  pair.reference();
  while (state.KeepRunning()) {
    // Either goes first as often: who follows whom may matter to caches and clock rates.
    const bool work_first = work.size() % 2 == 0;
    if (work_first) work.push_back(pair.work());
    reference.push_back(pair.reference());
    if (!work_first) work.push_back(pair.work());
    state.SetIterationTime(work.back());
    share.push_back(reference.back() / work.back());
    if (pair.bound_s) bound.push_back(pair.bound_s(reference.back()));
  }
  set_quartiles(state, "work_s", work);
  set_quartiles(state, "reference_s", reference);
  set_quartiles(state, "share", share);
  if (pair.bound_s) state.counters["bound_s"] = quantile(bound, 0.5);
  state.counters["pairs"] = static_cast<double>(work.size());
  state.counters["threads"] = static_cast<double>(pair.threads);
  state.counters["bytes"] = pair.bytes;
  state.counters["reference_bytes"] = pair.reference_bytes;
  state.counters["flops"] = pair.flops;
  state.counters["entries"] = pair.entries;
  state.SetLabel(pair.reference_name);
}

}  // namespace ossau::bench
