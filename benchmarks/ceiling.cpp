#include "ceiling.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "backend/cpu/bare_pass.hpp"
#include "core/aligned.hpp"
#include "core/thread_pool.hpp"
#include "costs.hpp"

namespace ossau::bench {
namespace {

constexpr double kSampleSeconds = 0.005;

Range share_of(std::int64_t tiles, std::int64_t thread, std::int64_t threads) {
  return {tiles * thread / threads, tiles * (thread + 1) / threads};
}

class BarePass {
 public:
  BarePass(TileSet rows, std::int64_t threads)
      : rows_(std::move(rows)), pool_(threads), passes_(available_bare_passes().front()) {
    if (std::holds_alternative<SparseTiles>(rows_.storage)) {
      const auto features = static_cast<std::size_t>(rows_.features);
      weights_.resize(features);
      sums_.assign(static_cast<std::size_t>(threads), AlignedVector<std::int64_t>(features));
      time(Prefetch::kNo, 1);
      const bool faster = time(Prefetch::kYes, 1) < time(Prefetch::kNo, 1);
      prefetch_ = faster ? Prefetch::kYes : Prefetch::kNo;
    }
    while (time(prefetch_, calls_) * static_cast<double>(calls_) < kSampleSeconds) calls_ *= 2;
  }

  double operator()() { return time(prefetch_, calls_); }

 private:
  // Of one pass, by the slowest thread.
  double time(Prefetch prefetch, std::int64_t calls) {
    std::vector<double> seconds(static_cast<std::size_t>(pool_.size()));
    std::atomic<std::uint32_t> read{0};
    pool_.run([&](std::int64_t thread) {
      const Range places = share_of(rows_.owned.size(), thread, pool_.size());
      std::uint32_t sum = 0;
      seconds[static_cast<std::size_t>(thread)] = seconds_of([&] {
        for (std::int64_t i = 0; i < calls; ++i) sum += pass(thread, places, prefetch);
      });
      read += sum;
    });
    const std::uint32_t sum = read;
    benchmark::DoNotOptimize(sum);
    return *std::max_element(seconds.begin(), seconds.end()) / static_cast<double>(calls);
  }

  std::uint32_t pass(std::int64_t thread, Range places, Prefetch prefetch) {
    if (const auto* sparse = std::get_if<SparseTiles>(&rows_.storage)) {
      const BareTarget target{.weights = weights_.data(),
                              .sums = sums_[static_cast<std::size_t>(thread)].data()};
      return passes_.gather_and_scatter(*sparse, places, target, prefetch);
    }
    const auto tile_size = static_cast<std::size_t>(rows_.features * kTileRows);
    return passes_.read(std::span(std::get<DenseTiles>(rows_.storage).values)
                            .subspan(static_cast<std::size_t>(places.begin) * tile_size,
                                     static_cast<std::size_t>(places.size()) * tile_size));
  }

  TileSet rows_;
  ThreadPool pool_;
  BarePasses passes_;
  AlignedVector<float> weights_;                   // [d], sparse rows only
  std::vector<AlignedVector<std::int64_t>> sums_;  // [d] for each thread, sparse rows only
  Prefetch prefetch_ = Prefetch::kNo;              // the faster one on these rows
  std::int64_t calls_ = 1;                         // in a sample
};

}  // namespace

Timed bare_pass(const TileSet& rows, std::int64_t threads) {
  const auto pass = std::make_shared<BarePass>(rows, threads);
  return [pass] { return (*pass)(); };
}

Timed bare_read(double bytes, std::int64_t threads) {
  constexpr std::int64_t kTileBytes = kTileRows * 4;
  TileSet rows;
  rows.features = 1;
  rows.owned = {0, std::max(threads, static_cast<std::int64_t>(bytes) / kTileBytes)};
  DenseTiles dense;
  dense.values.assign(static_cast<std::size_t>(rows.owned.end * kTileRows), 1.0F);
  rows.storage = std::move(dense);
  return bare_pass(rows, threads);
}

const char* bare_pass_name(const TileSet& rows) {
  return std::holds_alternative<SparseTiles>(rows.storage) ? "bare gather and scatter"
                                                           : "bare read";
}

Pair full_pass_pair(const TileSet& rows, std::int64_t threads) {
  const PassCost cost = gradient_cost(rows);
  Pair pair;
  pair.reference = bare_pass(rows, threads);
  pair.reference_name = bare_pass_name(rows);
  pair.bytes = cost.bytes;
  pair.reference_bytes = scores_cost(rows).bytes;
  pair.flops = cost.flops;
  pair.entries = cost.entries;
  pair.threads = threads;
  return pair;
}

}  // namespace ossau::bench
