// What moving the weights costs, by every rule, beside a bare read of as many bytes as the rule
// must read and write.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "ceiling.hpp"
#include "loaded_rows.hpp"
#include "program.hpp"
#include "samples.hpp"

namespace ossau::bench {
namespace {

struct Rule {
  const char* name;
  UpdateRule rule;
  int state_vectors;  // [d] of float64 besides the weights
};

constexpr Rule kRules[] = {
    {"descent", UpdateRule::kDescent, 0},   {"momentum", UpdateRule::kMomentum, 1},
    {"nesterov", UpdateRule::kNesterov, 1}, {"adaptive", UpdateRule::kAdaptive, 1},
    {"scaled", UpdateRule::kScaled, 0},
};

// Reads a sum and a column's power of two, reads and writes the weight and the state, writes the
// weight that scores rows.
double bytes_per_feature(const Rule& rule) {
  return 8 + 8 + (1 + rule.state_vectors) * (8 + 8) + 4;
}

void measure_update(benchmark::State& state, const Rule& rule, std::int64_t features,
                    std::int64_t threads) {
  ModelSetup setup;
  setup.rule = rule.rule;
  setup.momentum = 0.9;
  setup.penalty.l2 = 1e-6;
  LoadedRows loaded = load_rows(make_covering_rows(features), threads, std::move(setup));
  loaded.full_pass();  // every feature has a sum
  // So small a rate that the weights stay ordinary numbers, however often they are moved.
  const StepParameters step{.rate = 1e-9, .gradient_factor = loaded.info.gradient_factor()};
  const double bytes = bytes_per_feature(rule) * static_cast<double>(features);
  measure_pairs(state, {.work = repeated([&] { loaded.backend->update(step); }),
                        .reference = bare_read(bytes, threads),
                        .reference_name = "bare read",
                        .bytes = bytes,
                        .reference_bytes = bytes,
                        .entries = static_cast<double>(features),
                        .threads = threads});
}

}  // namespace

void add_rows(const Effort& effort) {
  for (const std::int64_t features : {28, 1'000, 1'000'000}) {
    for (const Rule& rule : kRules) {
      for (const std::int64_t threads : effort.threads) {
        // Narrow models are not worth another thread.
        if (threads > 1 && features < 100'000) continue;
        add_row(effort, fmt::format("update/{}/d={}/threads={}", rule.name, features, threads),
                [=](benchmark::State& state) { measure_update(state, rule, features, threads); });
      }
    }
  }
}

}  // namespace ossau::bench
