#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "backend/cpu/bare_pass.hpp"
#include "core/clock.hpp"
#include "core/machine.hpp"
#include "core/median.hpp"

namespace ossau {
namespace {

// Where threads wait for each other.  They spin: one that wakes late would run alone.
class Meeting {
 public:
  explicit Meeting(std::int64_t threads) : threads_(threads) {}

  void wait() {
    const std::int64_t round = round_;
    if (++arrived_ == threads_) {
      arrived_ = 0;
      ++round_;
      return;
    }
    while (round_ == round) std::this_thread::yield();
  }

 private:
  std::int64_t threads_;
  std::atomic<std::int64_t> arrived_{0};
  std::atomic<std::int64_t> round_{0};
};

// pass(thread) again and again in every thread, started once: waking threads is no part of a pass.
// All start each repetition together, and the slowest counts: as in training, all share the memory.
template <class Pass>
double time_passes(ThreadPool& pool, int repetitions, Pass pass) {
  const auto threads = static_cast<std::size_t>(pool.size());
  const auto count = static_cast<std::size_t>(repetitions);
  std::vector<std::vector<double>> seconds(threads, std::vector<double>(count));
  std::atomic<std::uint32_t> read{0};
  Meeting start(pool.size());
  pool.run([&](std::int64_t thread) {
    std::uint32_t sum = pass(thread);
    for (double& measured : seconds[static_cast<std::size_t>(thread)]) {
      start.wait();
      const Stopwatch watch;
      sum += pass(thread);
      measured = watch.seconds();
    }
    read += sum;  // what nobody looks at would not be computed
  });
  std::vector<double> slowest(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& of_thread : seconds) slowest[i] = std::max(slowest[i], of_thread[i]);
  }
  return median(std::move(slowest));
}

// The first places of a thread's share of all tiles: `fraction` of them, at least one.
Range share(Range all, std::int64_t thread, std::int64_t threads, double fraction) {
  const std::int64_t begin = all.size() * thread / threads;
  const std::int64_t end = all.size() * (thread + 1) / threads;
  if (fraction >= 1) return {begin, end};
  const auto kept = static_cast<std::int64_t>(fraction * static_cast<double>(end - begin));
  return {begin, std::min(end, begin + std::max<std::int64_t>(kept, 1))};
}

// Seconds for reading `fraction` of each thread's tiles.
double bare_read_s(const TileSet& tiles, const DenseTiles& dense, ThreadPool& pool, int repetitions,
                   double fraction) {
  const BarePasses passes = available_bare_passes().front();
  const auto tile_size = static_cast<std::size_t>(tiles.features * kTileRows);
  return time_passes(pool, repetitions, [&](std::int64_t thread) {
    const Range places = share(tiles.owned, thread, pool.size(), fraction);
    return passes.read(std::span(dense.values)
                           .subspan(static_cast<std::size_t>(places.begin) * tile_size,
                                    static_cast<std::size_t>(places.size()) * tile_size));
  });
}

double bare_gather_and_scatter_s(const TileSet& tiles, const SparseTiles& sparse, ThreadPool& pool,
                                 int repetitions, const float* weights,
                                 std::span<AlignedVector<std::int64_t>> sums, double fraction) {
  const BarePasses passes = available_bare_passes().front();
  const auto time = [&](Prefetch prefetch) {
    return time_passes(pool, repetitions, [&](std::int64_t thread) {
      return passes.gather_and_scatter(
          sparse, share(tiles.owned, thread, pool.size(), fraction),
          {.weights = weights, .sums = sums[static_cast<std::size_t>(thread)].data()}, prefetch);
    });
  };
  return std::min(time(Prefetch::kNo), time(Prefetch::kYes));
}

double bare_part_s(const TileSet& tiles, ThreadPool& pool, int repetitions, const float* weights,
                   std::span<AlignedVector<std::int64_t>> sums, double fraction) {
  if (tiles.owned.size() == 0) return 0;
  if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
    return bare_read_s(tiles, *dense, pool, repetitions, fraction);
  }
  return bare_gather_and_scatter_s(tiles, std::get<SparseTiles>(tiles.storage), pool, repetitions,
                                   weights, sums, fraction);
}

double bytes_of(const TileSet& tiles) {
  if (const auto* dense = std::get_if<DenseTiles>(&tiles.storage)) {
    return static_cast<double>(dense->values.size() * sizeof(float));
  }
  const auto& sparse = std::get<SparseTiles>(tiles.storage);
  return static_cast<double>(sparse.index.size() * sizeof(std::uint32_t) +
                             sparse.value.size() * sizeof(float));
}

}  // namespace

double bare_pass_s(const TileSet& tiles, ThreadPool& pool, int repetitions, const float* weights,
                   std::span<AlignedVector<std::int64_t>> sums) {
  return bare_part_s(tiles, pool, repetitions, weights, sums, 1);
}

double estimate_bare_pass_s(const TileSet& tiles, ThreadPool& pool, const float* weights,
                            std::span<AlignedVector<std::int64_t>> sums) {
  const std::int64_t sample_bytes = bytes_past_caches(read_machine(), pool.size());
  return estimate_bare_pass_s(tiles, pool, weights, sums, static_cast<double>(sample_bytes));
}

double estimate_bare_pass_s(const TileSet& tiles, ThreadPool& pool, const float* weights,
                            std::span<AlignedVector<std::int64_t>> sums, double sample_bytes) {
  constexpr double kBudgetS = 0.1;
  constexpr int kFewest = 3;
  constexpr int kMost = 9;
  const double fraction = std::min(1.0, sample_bytes / std::max(1.0, bytes_of(tiles)));
  const double once = bare_part_s(tiles, pool, 1, weights, sums, fraction);
  const int repetitions = once * kMost < kBudgetS ? kMost : kFewest;
  std::int64_t read = 0;  // at least a tile in each thread, however small the fraction
  for (std::int64_t thread = 0; thread < pool.size(); ++thread) {
    read += share(tiles.owned, thread, pool.size(), fraction).size();
  }
  return bare_part_s(tiles, pool, repetitions, weights, sums, fraction) *
         static_cast<double>(tiles.owned.size()) /
         static_cast<double>(std::max<std::int64_t>(read, 1));
}

double bare_pass_s(const TileSet& tiles, ThreadPool& pool, int repetitions) {
  const auto features = static_cast<std::size_t>(tiles.features);
  const AlignedVector<float> weights(features);
  std::vector<AlignedVector<std::int64_t>> sums(static_cast<std::size_t>(pool.size()),
                                                AlignedVector<std::int64_t>(features));
  return bare_pass_s(tiles, pool, repetitions, weights.data(), sums);
}

}  // namespace ossau
